/**
 * What is said in Indonesian when a backup or a restore can't go on.
 *
 * Promises one sentence and, where there is one, the next step.
 */
import type { Words } from '../trouble.ts'

const size = (bytes: string | number | undefined) =>
	typeof bytes === 'number' ? `${(bytes / 1024 ** 3).toFixed(1).replace('.', ',')} GiB` : ''

export const id: Words = {
	noSuchBackup: ({ name, there }) => ({
		says: `Tidak ada cadangan "${name}".`,
		hint: there ? `Yang ada: ${there}.` : 'Belum ada cadangan sama sekali.',
	}),
	noBackups: ({ folder }) => ({ says: `Tidak ada cadangan di ${folder}.`, hint: 'Buat satu: ./backup.sh' }),
	busy: () => ({
		says: 'Pencadangan atau pemulihan lain sedang berjalan.',
		hint: 'Tunggu sampai selesai, lalu jalankan perintah ini lagi.',
	}),
	serverRuns: ({ place }) => ({
		says: `Sebuah server sedang memakai basis data di ${place}.`,
		hint: 'Hentikan dulu, lalu jalankan perintah ini lagi.',
	}),
	damaged: ({ name, what }) => ({
		says: `Cadangan ${name} rusak: ${what}.`,
		hint: 'Pakai yang lain: npm run ops -- list menunjukkan mana yang utuh.',
	}),
	notRestored: ({ name, what }) => ({
		says: `Yang ada sekarang bukan isi cadangan ${name}: ${what}.`,
		hint: 'Jangan jalankan server. Pulihkan sekali lagi, atau pilih yang lain: npm run ops -- list',
	}),
	restoredBut: ({ name, why }) => ({
		says: `Cadangan ${name} sudah dipulihkan, tetapi tidak bisa dibandingkan dan diselesaikan: ${why}.`,
		hint: 'Periksa disknya, lalu jalankan server: sisanya akan diselesaikan.',
	}),
	notInIt: ({ name, what }) => ({ says: `Tidak ada ${what} di ${name}.`, hint: 'npm run ops -- list menunjukkan apa saja yang ada.' }),
	version1Backup: ({ name }) => ({
		says: `Cadangan ${name} dibuat oleh English Chat 1.x, yang belum bisa dipulihkan.`,
		hint: `Simpan saja: versi mendatang mengambil alihnya. Untuk membacanya: npm run ops -- verify ${name}`,
	}),
	newerFormat: ({ name }) => ({
		says: `Cadangan ${name} dibuat oleh English Chat yang lebih baru.`,
		hint: 'Perbarui dulu, lalu jalankan perintah ini lagi.',
	}),
	noRoom: ({ folder, neededBytes, freeBytes }) => ({
		says:
			neededBytes === undefined
				? `Disk untuk ${folder} penuh.`
				: `Ruang di ${folder} tidak cukup: perlu ${size(neededBytes)}, tersisa ${size(freeBytes)}.`,
		hint: 'Kosongkan sebagian ruang, lalu jalankan perintah ini lagi. Yang sudah ada tidak berubah.',
	}),
	tooSlow: ({ logBytes }) => ({
		says: `Cadangan terlalu lambat dibanding tulisan pengguna: ${size(logBytes)} sudah ditulis sebelum basis data selesai dibaca.`,
		hint: 'Jalankan lagi pada saat lebih sepi, atau ke disk yang lebih cepat. Yang sudah ada tidak berubah.',
	}),
	cannotWrite: ({ folder, why }) => ({
		says: `Folder ${folder} tidak bisa ditulisi (${why}).`,
		hint: 'Periksa disk dan pemilik folder itu.',
	}),
	cannotRead: ({ folder, why }) => ({ says: `${folder} tidak bisa dibaca (${why}).`, hint: 'Periksa disk dan pemiliknya.' }),
	noDump: ({ path }) => ({
		says: `${path} bukan hasil mongodump.`,
		hint: 'Sebutkan folder yang dibuat mongodump, atau berkas dari --archive.',
	}),
	foreignDump: ({ path, there }) => ({
		says: there ? `Tidak ada basis data English Chat di ${path}, hanya ${there}.` : `Tidak ada basis data di ${path}.`,
		hint: 'Jalankan mongodump untuk basis data di MONGODB_URI: mongodump --uri <MONGODB_URI>.',
	}),
	severalInDump: ({ path, there }) => ({
		says: `Ada lebih dari satu basis data English Chat di ${path}: ${there}.`,
		hint: 'Sebutkan folder salah satunya; arsip harus dibuat lagi, dengan satu basis data.',
	}),
	version1Dump: ({ path, name }) => ({
		says: `Basis data ${name} di ${path} milik English Chat 1.x, yang belum bisa dipulihkan.`,
		hint: 'Versi mendatang mengambil alihnya, dengan "adopt". Simpan sampai saat itu.',
	}),
	damagedDump: ({ path, what }) => ({
		says: `Hasil mongodump ${path} tidak utuh: ${what}.`,
		hint: 'Pakai yang lain, atau jalankan mongodump lagi.',
	}),
	newerDump: ({ path }) => ({
		says: `Basis data di ${path} ditulis oleh English Chat yang lebih baru.`,
		hint: 'Perbarui dulu, lalu jalankan perintah ini lagi.',
	}),
	database: ({ why, hint }) => ({ says: `${why}`, ...(hint ? { hint: `${hint}` } : {}) }),
	stopped: () => ({ says: 'Dihentikan.', hint: 'Tidak ada yang berubah; perintah yang sama mulai dari awal.' }),
	restoreStopped: () => ({
		says: 'Dihentikan.',
		hint: 'Basis data tetap seperti semula; berkas yang sudah kembali tetap ada. Perintah yang sama mulai dari awal.',
	}),
	setting: ({ what }) => ({ says: `${what}`, hint: 'Setelan dibaca dari environment dan dari .env.production.local.' }),
	usage: ({ what }) => ({ says: `${what}`, hint: 'npm run ops -- help menunjukkan cara memakainya.' }),
}
