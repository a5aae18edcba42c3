/**
 * What the operator's command line says in Indonesian. What went wrong is said in backend/src/backup/words/.
 */
import type { Lack } from '../../../backend/src/backup/version-1.ts'
import type { Words } from './en.ts'

const count = (value: number) => value.toLocaleString('id')
const counted = (value: number, what: string) => `${count(value)} ${what}`
const lacking: Record<Lack, string> = {
	database: 'basis data',
	files: 'berkas unggahan',
	env: 'setelan',
	manifest: 'akhir: dulu terputus',
}

export const id: Words = {
	numbers: 'id',
	dates: 'id',

	help: `Cara pakai: npm run ops -- <perintah>

  backup                     membuat cadangan, membacanya kembali, dan membuktikannya  (atau ./backup.sh)
  list                       menampilkan cadangan yang ada
  show [<cadangan>]          menampilkan isi sebuah cadangan dan keadaannya
  verify [<cadangan>|--all]  membacanya lagi dan menyebut apa yang tidak seperti saat ditulis
  drill [<cadangan>]         memulihkannya ke tempat sementara dan membandingkan: itulah buktinya
  restore <cadangan>         menggantikan data sekarang dengan isi cadangan            (atau ./restore.sh)
  prune [--dry-run]          menghapus yang lebih lama daripada yang perlu disimpan
  help                       menampilkan ini

<cadangan> adalah nama seperti 20261126_023001, nomor dalam daftar (1 yang terbaru), atau latest, yaitu
yang terbaru yang sudah diperiksa; tanpa itu dipakai latest (hanya restore yang selalu perlu disebutkan).

Opsi untuk restore:
  --dry-run                        menampilkan apa yang akan berubah, tanpa mengubah apa pun
  --only database|files|env        memulihkan bagian itu saja
  --as replacement|rehearsal       di mesin lain: menjadi penggantinya, atau hanya mencoba
  --yes                            tanpa bertanya; di mesin lain ini hanya latihan
  --confirm                        menjadikan latihan sebagai yang sebenarnya
  --no-returns                     peramban tidak menawarkan lagi yang ditulis setelah cadangan
  --from-mongodump <path>          memulihkan hasil mongodump: folder atau arsip

Di semua perintah: --json menjawab dengan satu objek JSON.
Kode keluar: 0 selesai, 1 gagal, 2 salah pakai, 10 cadangan tidak ada, 11 sibuk, 12 rusak.`,

	unknownCommand: (name) => `Tidak ada perintah "${name}".`,
	noCommand: 'Perintahnya belum disebutkan.',
	unknownOption: (option) => `Tidak ada opsi ${option}.`,
	wrongOption: (option, command) => `Perintah ${command} tidak punya opsi ${option}.`,
	wrongValue: (option) => `Opsi ${option} tidak dipakai seperti ini.`,
	oneOf: (option, values) => `${option} adalah salah satu dari: ${values}.`,
	tooMany: (argument) => `"${argument}" berlebihan.`,
	notTogether: (one, other) => `${one} dan ${other} tidak bisa dipakai bersama.`,

	yes: 'ya',
	no: 'belum',
	damaged: 'rusak',
	none: 'tidak ada',
	on: (date) => `ya, ${date}`,
	columns: {
		number: 'No.',
		name: 'Cadangan',
		made: 'Dibuat',
		reason: 'Alasan',
		people: 'Orang',
		messages: 'Pesan',
		files: 'Berkas',
		size: 'Ukuran',
		verified: 'Diperiksa',
		proven: 'Terbukti',
		collection: 'Koleksi',
		records: 'Jumlah',
	},
	reasons: { manual: 'manual', schedule: 'jadwal', update: 'pembaruan', restore: 'pemulihan', migration: 'bentuk baru' },
	holds: (messages, people, files) => `${counted(messages, 'pesan')}, ${counted(people, 'orang')}, ${counted(files, 'berkas')}`,
	andMore: (more) => `dan ${count(more)} lagi`,
	restoreIt: (name) => `Pulihkan dengan: ./restore.sh ${name}`,

	made: (name, how, holds, size, added, took) => `cadangan ${name} ${how}: ${holds}, ${size} (${added} baru), ${took}`,
	verifiedAndProven: 'diperiksa dan terbukti',
	verifiedOnly: 'diperiksa',
	notVerified: 'BELUM LOLOS PEMERIKSAAN',
	joined: 'Proses lain memang sedang membuatnya.',
	lost: (files, names) => `${counted(files, 'berkas unggahan')} hilang atau rusak di sini, dan tidak ada di cadangan mana pun: ${names}.`,
	lostHint: 'Jadi cadangan ini disimpan, tetapi tidak dihitung sebagai sudah diperiksa. Kembalikan berkas itu, lalu buat cadangan baru.',
	healable: (files, names) => `${counted(files, 'berkas unggahan')} hilang atau rusak di sini, tetapi utuh di cadangan ini: ${names}.`,
	healableHint: (name) => `Kembalikan yang hilang: ./restore.sh ${name} --only files`,

	noneYet: (folder) => `Belum ada cadangan di ${folder}. Buat yang pertama: ./backup.sh`,
	oldOnes: 'Dibuat oleh versi 1; bisa dilihat, tetapi belum bisa dipulihkan:',
	lacks: (what) => (what.length === 0 ? 'lengkap' : `tanpa ${what.map((lack) => lacking[lack]).join(', ')}`),
	foreignOnes: 'Bukan cadangan; dibiarkan saja:',
	foreign: {
		file: 'sebuah berkas',
		link: 'sebuah tautan',
		'no-manifest': 'tanpa manifest.json: dibuat dengan tangan, atau baru sebagian disalin',
		'broken-manifest': 'manifest.json tidak bisa dibaca',
		'newer-format': 'dibuat oleh English Chat yang lebih baru',
	},
	keptBefore: 'berkas basis data yang tidak bisa dibaca, disimpan sebelum pemulihan',
	howToGoOn: 'Lihat satu: npm run ops -- show <cadangan>      Pulihkan satu: ./restore.sh <cadangan>',

	madeByOld: (date) => `${date}, oleh versi 1; belum bisa dipulihkan`,
	madeBy: (date, reason, app, took) => `${date} (${reason}), oleh versi ${app}, dalam ${took}`,
	holdsRow: 'Isi',
	sizeIs: (all, database, files, added) => `${all}: basis data ${database}, berkas ${files}; menambah ${added}`,
	database: 'Basis data',
	embedded: 'tertanam',
	databaseIs: (engine, name, seq) => `${engine}, ${name}, sampai entri ${count(seq)}`,
	settings: 'Setelan',
	settingsKept: 'di env.production.local.backup: rahasia',
	folder: 'Folder',
	notProven: (name) => `belum; buktikan dengan: npm run ops -- drill ${name}`,

	whole: (name, holds) => `${name} utuh: semuanya sudah dibaca lagi (${holds}).`,
	neverWhole: (name, lost) => `${name} masih seperti saat ditulis, tetapi ${counted(lost, 'berkas unggahan')} sudah hilang sebelumnya.`,
	isDamaged: (name) => `${name} rusak:`,
	damagedHint: 'Yang rusak dibiarkan apa adanya dan tidak dihitung lagi. Buat yang baru sekarang: ./backup.sh',
	drilled: (name, took) => `${name} terbukti: semuanya sudah dipulihkan ke tempat sementara dan dibandingkan, dalam ${took}.`,
	pruned: (backups, freed) => `${counted(backups, 'cadangan')} dihapus, ${freed} dibebaskan.`,
	wouldPrune: (backups) => `${counted(backups, 'cadangan')} akan dihapus:`,
	nothingToPrune: 'Tidak ada yang perlu dihapus.',
	poolHeld: (names) => `Berkas unggahan dibiarkan, sebab mungkin masih diperlukan oleh: ${names}.`,

	nameOne:
		'Cadangan mana yang dipulihkan? ./restore.sh latest memakai yang terbaru yang sudah diperiksa; nama atau nomor dalam daftar juga bisa.',
	needsYes: 'Di sini tidak ada yang bisa ditanya: nyatakan dengan --yes bahwa ini memang dimaksudkan.',
	fromBackup: (name, date) => `Memulihkan cadangan ${name} dari ${date}`,
	fromDump: (path) => `Memulihkan hasil mongodump di ${path}`,
	kinds: {
		users: 'Orang',
		credentials: 'Kata sandi',
		groups: 'Grup',
		memberships: 'Keanggotaan',
		categories: 'Kategori',
		discussions: 'Diskusi',
		messages: 'Pesan',
		edits: 'Teks lama',
		uploads: 'Unggahan',
		reads: 'Tanda baca',
		inspections: 'Pemeriksaan',
	},
	nowAndThen: { now: 'Sekarang', later: 'Nanti', change: 'Perubahan' },
	filesRow: 'Berkas unggahan',
	stay: 'tetap seperti sekarang',
	comeBack: (files) => `${count(files)} kembali`,
	settingsComeBack: 'kembali',
	presentMissing: 'Sekarang tidak ada basis data di sini.',
	presentWhole: 'Yang ada sekarang disimpan lebih dulu, dalam cadangan tersendiri.',
	presentBroken: 'Basis data yang ada sekarang tidak bisa dibaca; berkasnya disimpan lebih dulu.',
	signInAgain: 'Semua orang perlu masuk lagi.',
	nothingChanged: 'Tidak ada yang berubah.',
	word: 'pulihkan',
	askWord: (word) => `Ketik kata "${word}" untuk melanjutkan: `,
	roles: { replacement: 'pengganti', rehearsal: 'latihan' },
	askRole: 'Mesin ini bukan yang membuatnya. Apakah mesin ini menggantikannya, atau hanya mencoba?\nKetik "pengganti" atau "latihan": ',
	restored: (what, took) => `Dipulihkan dalam ${took}: ${what}.`,
	records: (messages, people) => `${counted(messages, 'pesan')}, ${counted(people, 'orang')}`,
	filesBack: (files) => (files === 0 ? 'tidak ada berkas yang hilang' : `${counted(files, 'berkas')} yang hilang atau rusak`),
	settingsBack: 'setelan',
	wayBack: (name) => `Yang ada sebelumnya disimpan. Untuk kembali: ./restore.sh ${name}`,
	keptFiles: (name) => `Berkas dari yang ada sebelumnya disimpan di backups/${name}.`,
	nothingElse: 'Selebihnya tidak disentuh. Kalau server berjalan, mulai ulang.',
	returns: 'Siapa yang menulis sesuatu sejak itu ditanya di peramban apakah akan dikirim lagi.',
	noReturns: 'Yang ditulis sejak itu tidak ditawarkan lagi.',
	startNow: 'Sekarang mulai servernya: npm start',
	backupsBelong: (from, to) => `Menurut setelan, cadangan dicari di ${to}: salin ke sana, dari ${from}.`,
	rehearses: 'Ini latihan: tidak ada surel atau pesan yang keluar dari mesin ini.',
	confirmIt: 'Untuk menjadikannya yang sebenarnya: ./restore.sh --confirm',
	noRehearsal: 'Mesin ini tidak sedang berlatih.',
	confirms: 'Latihan ini menjadi yang sebenarnya: surel dan pesan keluar lagi dari mesin ini. Mesin yang lain tidak boleh berjalan lagi.',
	confirmed: 'Sekarang inilah yang sebenarnya. Kalau server berjalan, mulai ulang.',

	doing: {
		waiting: 'Pencadangan atau pemulihan lain sedang berjalan: menunggu',
		checking: 'Memeriksa',
		reading: 'Membaca basis data',
		files: 'Menyalin berkas',
		verifying: 'Membaca kembali',
		drilling: 'Membuktikan',
		safety: 'Menyimpan yang ada sekarang',
		restoring: 'Memulihkan',
		comparing: 'Membandingkan',
		pruning: 'Menghapus yang lama',
	},
	units: { records: (amount) => `${amount} catatan`, bytes: (amount) => amount, files: (amount) => `${amount} berkas` },
	perSecond: (amount) => `${amount}/dtk`,
	timeLeft: (time) => `kira-kira ${time} lagi`,
	seconds: 'dtk',
	minutes: 'mnt',
	hours: 'j',
}
