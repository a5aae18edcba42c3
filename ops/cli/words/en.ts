/**
 * What the operator's command line says in English. What went wrong is said in backend/src/backup/words/.
 */
import type { ForeignWhy } from '../../../backend/src/backup/folder.ts'
import type { Lack } from '../../../backend/src/backup/version-1.ts'

const count = (value: number) => value.toLocaleString('en')
const counted = (value: number, one: string, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`
const lacking: Record<Lack, string> = {
	database: 'a database',
	files: 'uploaded files',
	env: 'settings',
	manifest: 'an end: it was interrupted',
}

export const en = {
	/** How numbers are written, and how dates. */
	numbers: 'en',
	dates: 'en-GB',

	help: `Usage: npm run ops -- <command>

  backup                     makes a backup, reads it back and proves it      (or ./backup.sh)
  list                       shows which backups there are
  show [<backup>]            shows what is in one, and how it is doing
  verify [<backup>|--all]    reads it again, and says what is not as it was written
  drill [<backup>]           restores it into a scratch place and compares: the proof
  restore <backup>           puts it in place of what is there                (or ./restore.sh)
  prune [--dry-run]          removes what is older than has to be kept
  help                       shows this

<backup> is a name such as 20261126_023001, a number of the list (1 is the newest), or latest, the
newest that was verified; without it, the latest is meant (a restore always wants to be told).

Options of restore:
  --dry-run                        shows what would change, and changes nothing
  --only database|files|env        restores only that part
  --as replacement|rehearsal       on another machine: this one takes its place, or only tries it out
  --yes                            asks nothing; on another machine it is a rehearsal
  --confirm                        a rehearsal becomes the real one
  --no-returns                     browsers do not offer again what was written after the backup
  --from-mongodump <path>          restores what mongodump wrote: a folder or an archive

Everywhere: --json answers with one JSON object.
Exit codes: 0 done, 1 failed, 2 wrong usage, 10 no such backup, 11 busy, 12 damaged.`,

	// Wrong usage.
	unknownCommand: (name: string) => `There is no command "${name}".`,
	noCommand: 'A command is missing.',
	unknownOption: (option: string) => `There is no option ${option}.`,
	wrongOption: (option: string, command: string) => `The command ${command} has no option ${option}.`,
	wrongValue: (option: string) => `The option ${option} is not used like this.`,
	oneOf: (option: string, values: string) => `${option} is one of: ${values}.`,
	tooMany: (argument: string) => `"${argument}" is too much.`,
	notTogether: (one: string, other: string) => `${one} and ${other} do not go together.`,

	// Words of tables and rows.
	yes: 'yes',
	no: 'no',
	damaged: 'damaged',
	none: 'none',
	on: (date: string) => `yes, ${date}`,
	columns: {
		number: 'No.',
		name: 'Backup',
		made: 'Made',
		reason: 'Why',
		people: 'People',
		messages: 'Messages',
		files: 'Files',
		size: 'Size',
		verified: 'Verified',
		proven: 'Proven',
		collection: 'Collection',
		records: 'Records',
	},
	reasons: { manual: 'by hand', schedule: 'schedule', update: 'update', restore: 'restore', migration: 'new form' },
	holds: (messages: number, people: number, files: number) =>
		`${counted(messages, 'message')}, ${counted(people, 'person', 'people')}, ${counted(files, 'file')}`,
	andMore: (more: number) => `and ${count(more)} more`,
	restoreIt: (name: string) => `Restore it with: ./restore.sh ${name}`,

	// backup
	made: (name: string, how: string, holds: string, size: string, added: string, took: string) =>
		`backup ${name} ${how}: ${holds}, ${size} (${added} new), ${took}`,
	verifiedAndProven: 'verified and proven',
	verifiedOnly: 'verified',
	notVerified: 'NOT VERIFIED',
	joined: 'Another process was making it already.',
	lost: (files: number, names: string) => `${counted(files, 'uploaded file')} missing or damaged here, and in no backup: ${names}.`,
	lostHint: 'So this backup is kept, but does not count as verified. Bring those files back, then make another one.',
	healable: (files: number, names: string) =>
		`${counted(files, 'uploaded file')} missing or damaged here, but whole in this backup: ${names}.`,
	healableHint: (name: string) => `Bring back what is missing: ./restore.sh ${name} --only files`,

	// list
	noneYet: (folder: string) => `There is no backup in ${folder} yet. Make the first one: ./backup.sh`,
	oldOnes: 'Made by version 1; they can be looked at, and not be restored yet:',
	lacks: (what: readonly Lack[]) => (what.length === 0 ? 'complete' : `without ${what.map((lack) => lacking[lack]).join(', ')}`),
	foreignOnes: 'No backups; they are left alone:',
	foreign: {
		file: 'a file',
		link: 'a link',
		'no-manifest': 'without manifest.json: made by hand, or copied only in part',
		'broken-manifest': "its manifest.json can't be read",
		'newer-format': 'made by a newer English Chat',
	} satisfies Record<ForeignWhy, string>,
	keptBefore: 'the files of a database that could not be read, kept before a restore',
	howToGoOn: 'More about one: npm run ops -- show <backup>      Restore one: ./restore.sh <backup>',

	// show
	madeByOld: (date: string) => `${date}, by version 1; it can't be restored yet`,
	madeBy: (date: string, reason: string, app: string, took: string) => `${date} (${reason}), by version ${app}, in ${took}`,
	holdsRow: 'Holds',
	sizeIs: (all: string, database: string, files: string, added: string) =>
		`${all}: database ${database}, files ${files}; it added ${added}`,
	database: 'Database',
	embedded: 'embedded',
	databaseIs: (engine: string, name: string, seq: number) => `${engine}, ${name}, up to entry ${count(seq)}`,
	settings: 'Settings',
	settingsKept: 'in env.production.local.backup: they are secret',
	folder: 'Folder',
	notProven: (name: string) => `no; prove it with: npm run ops -- drill ${name}`,

	// verify, drill, prune
	whole: (name: string, holds: string) => `${name} is whole: all of it was read again (${holds}).`,
	neverWhole: (name: string, lost: number) =>
		`${name} is as it was written, but it lacks ${counted(lost, 'uploaded file')} that had been lost before.`,
	isDamaged: (name: string) => `${name} is damaged:`,
	damagedHint: 'What is damaged is left as it is, and no longer counts. Make a new one now: ./backup.sh',
	drilled: (name: string, took: string) => `${name} is proven: all of it was restored into a scratch place and compared, in ${took}.`,
	pruned: (backups: number, freed: string) => `${counted(backups, 'backup')} removed, ${freed} freed.`,
	wouldPrune: (backups: number) => `${counted(backups, 'backup')} would be removed:`,
	nothingToPrune: 'Nothing to remove.',
	poolHeld: (names: string) => `Uploaded files stay as they are, since these may need them: ${names}.`,

	// restore
	nameOne:
		'Which one is to be restored? ./restore.sh latest takes the newest that was verified; a name or a number of the list does it too.',
	needsYes: 'Nobody can be asked here: say with --yes that it is meant.',
	fromBackup: (name: string, date: string) => `Restoring the backup ${name} of ${date}`,
	fromDump: (path: string) => `Restoring what mongodump wrote to ${path}`,
	kinds: {
		users: 'People',
		credentials: 'Passwords',
		groups: 'Groups',
		memberships: 'Memberships',
		categories: 'Categories',
		discussions: 'Discussions',
		messages: 'Messages',
		edits: 'Earlier texts',
		uploads: 'Uploads',
		reads: 'Reading marks',
		inspections: 'Inspections',
	} as Record<string, string>,
	nowAndThen: { now: 'Now', later: 'Then', change: 'Change' },
	filesRow: 'Uploaded files',
	stay: 'stay as they are',
	comeBack: (files: number) => `${count(files)} ${files === 1 ? 'comes' : 'come'} back`,
	settingsComeBack: 'come back',
	presentMissing: 'There is no database here now.',
	presentWhole: 'What is here now is kept first, in a backup of its own.',
	presentBroken: "The database that is here now can't be read; its files are kept first.",
	signInAgain: 'Everybody has to sign in again.',
	nothingChanged: 'Nothing was changed.',
	word: 'restore',
	askWord: (word: string) => `Type the word "${word}" to go on: `,
	roles: { replacement: 'replacement', rehearsal: 'rehearsal' },
	askRole:
		'This machine is not the one that made it. Does it take the place of that one, or is it only tried out here?\nType "replacement" or "rehearsal": ',
	restored: (what: string, took: string) => `Restored in ${took}: ${what}.`,
	records: (messages: number, people: number) => `${counted(messages, 'message')}, ${counted(people, 'person', 'people')}`,
	filesBack: (files: number) =>
		files === 0 ? 'no file was missing' : `${counted(files, 'file')} that ${files === 1 ? 'was' : 'were'} missing or damaged`,
	settingsBack: 'the settings',
	wayBack: (name: string) => `What was there before is kept. To go back: ./restore.sh ${name}`,
	keptFiles: (name: string) => `The files of what was there before are kept in backups/${name}.`,
	nothingElse: 'Nothing else was touched. If the server runs, restart it.',
	returns: 'Who wrote something since is asked in the browser whether to send it again.',
	noReturns: 'What was written since is not offered again.',
	startNow: 'Now start the server: npm start',
	backupsBelong: (from: string, to: string) => `The settings look for backups in ${to}: copy them there, from ${from}.`,
	rehearses: 'This is a rehearsal: no mail and no message leaves this machine.',
	confirmIt: 'To make it the real one: ./restore.sh --confirm',
	noRehearsal: 'This machine rehearses nothing.',
	confirms: 'The rehearsal becomes the real one: mails and messages leave this machine again. The other machine must not run any more.',
	confirmed: 'This is the real one now. If the server runs, restart it.',

	// Progress.
	doing: {
		waiting: 'Another backup or restore is running: waiting',
		checking: 'Looking',
		reading: 'Reading the database',
		files: 'Copying files',
		verifying: 'Reading it back',
		drilling: 'Proving it',
		safety: 'Keeping what is there now',
		restoring: 'Restoring',
		comparing: 'Comparing',
		pruning: 'Removing old ones',
	},
	/** `amount` as it is shown. */
	units: {
		records: (amount: string, value: number) => `${amount} ${value === 1 ? 'record' : 'records'}`,
		bytes: (amount: string) => amount,
		files: (amount: string, value: number) => `${amount} ${value === 1 ? 'file' : 'files'}`,
	},
	perSecond: (amount: string) => `${amount}/s`,
	timeLeft: (time: string) => `about ${time} left`,
	seconds: 's',
	minutes: 'min',
	hours: 'h',
}

/** A word that a language lacks is a type error. */
export type Words = typeof en
