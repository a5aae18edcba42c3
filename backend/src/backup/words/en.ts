/**
 * What is said in English when a backup or a restore can't go on.
 *
 * Promises one sentence and, where there is one, the next step.
 */
import type { Words } from '../trouble.ts'

const size = (bytes: string | number | undefined) => (typeof bytes === 'number' ? `${(bytes / 1024 ** 3).toFixed(1)} GiB` : '')

export const en: Words = {
	noSuchBackup: ({ name, there }) => ({
		says: `There is no backup "${name}".`,
		hint: there ? `There are: ${there}.` : 'There are none at all.',
	}),
	noBackups: ({ folder }) => ({ says: `There is no backup in ${folder}.`, hint: 'Make one: ./backup.sh' }),
	busy: () => ({ says: 'A backup or a restore is running already.', hint: 'Wait until it has ended, then run this command again.' }),
	serverRuns: ({ place }) => ({ says: `A server is using the database in ${place}.`, hint: 'Stop it first, then run this command again.' }),
	damaged: ({ name, what }) => ({
		says: `The backup ${name} is damaged: ${what}.`,
		hint: 'Take another one: npm run ops -- list shows which are whole.',
	}),
	notRestored: ({ name, what }) => ({
		says: `What is there now is not what the backup ${name} holds: ${what}.`,
		hint: 'Do not start the server. Restore it again, or another one: npm run ops -- list',
	}),
	restoredBut: ({ name, why }) => ({
		says: `The backup ${name} is restored, but it could not be compared and finished: ${why}.`,
		hint: 'Look at the disk, then start the server: it does the rest.',
	}),
	notInIt: ({ name, what }) => ({ says: `There is no ${what} in ${name}.`, hint: 'npm run ops -- list shows what there is.' }),
	version1Backup: ({ name }) => ({
		says: `The backup ${name} was made by English Chat 1.x, which can't be restored yet.`,
		hint: `Keep it: a coming version takes it over. To read it: npm run ops -- verify ${name}`,
	}),
	newerFormat: ({ name }) => ({
		says: `The backup ${name} was made by a newer English Chat.`,
		hint: 'Update first, then run this command again.',
	}),
	noRoom: ({ folder, neededBytes, freeBytes }) => ({
		says:
			neededBytes === undefined
				? `The disk of ${folder} is full.`
				: `There is not enough room in ${folder}: ${size(neededBytes)} are needed, ${size(freeBytes)} are free.`,
		hint: 'Free some space, then run this command again. What was there before is untouched.',
	}),
	tooSlow: ({ logBytes }) => ({
		says: `The backup was too slow for what people write: they had written ${size(logBytes)} before it had read the database.`,
		hint: 'Run it again at a quieter time, or onto a faster disk. What was there before is untouched.',
	}),
	cannotWrite: ({ folder, why }) => ({
		says: `The folder ${folder} can't be written (${why}).`,
		hint: 'Look at the disk, and at who owns the folder.',
	}),
	cannotRead: ({ folder, why }) => ({ says: `${folder} can't be read (${why}).`, hint: 'Look at the disk, and at who owns it.' }),
	noDump: ({ path }) => ({
		says: `${path} is nothing that mongodump wrote.`,
		hint: 'Name the folder that mongodump made, or the file of --archive.',
	}),
	foreignDump: ({ path, there }) => ({
		says: there ? `There is no database of English Chat in ${path}, only ${there}.` : `There is no database in ${path}.`,
		hint: 'Dump the database that MONGODB_URI names: mongodump --uri <MONGODB_URI>.',
	}),
	severalInDump: ({ path, there }) => ({
		says: `There is more than one database of English Chat in ${path}: ${there}.`,
		hint: "Name one database's folder; an archive has to be dumped again, with one database.",
	}),
	version1Dump: ({ path, name }) => ({
		says: `The database ${name} in ${path} is one of English Chat 1.x, which can't be restored yet.`,
		hint: 'A coming version takes it over, by "adopt". Keep it until then.',
	}),
	damagedDump: ({ path, what }) => ({
		says: `The dump ${path} is not whole: ${what}.`,
		hint: 'Take another one, or dump the database again.',
	}),
	newerDump: ({ path }) => ({
		says: `The database in ${path} was written by a newer English Chat.`,
		hint: 'Update first, then run this command again.',
	}),
	database: ({ why, hint }) => ({ says: `${why}`, ...(hint ? { hint: `${hint}` } : {}) }),
	stopped: () => ({ says: 'Stopped.', hint: 'Nothing was changed; the same command begins anew.' }),
	restoreStopped: () => ({ says: 'Stopped.', hint: 'The database is as it was; files that came back stay. The same command begins anew.' }),
	setting: ({ what }) => ({ says: `${what}`, hint: 'Settings are taken from the environment and from .env.production.local.' }),
	usage: ({ what }) => ({ says: `${what}`, hint: 'npm run ops -- help shows how it is used.' }),
}
