/**
 * The people of the sample: who they are, how they write, and in which group.
 *
 * Names as schools have them: one word, five words, accents, an apostrophe, from right to left, and very long.
 */

import type { Face } from './pictures.ts'

export interface SamplePerson {
	name: string
	/** The part of the address before the @. */
	handle: string
	number: string
	role: 'admin' | 'lecturer' | 'student'
	/** What she looks like. */
	face: Face
	/** What she is called in messages. */
	called: string
	/** The first of them is hers; a few students learn in two. */
	groups: readonly number[]
}

/** The domain of every address of the sample: nobody's, by RFC 2606. */
export const domain = 'class.example'

const admin = 'Ratna Wulandari'
const lecturers = ['Dr. Maria Kusumawati', 'Thomas O’Brien', 'Siti Rahmadhani, M.Pd.']
/** Which lecturer teaches each group. */
export const teaches = [0, 0, 1, 2] as const

const students = `Sari Wijaya
Budi Santoso
Zoë Ångström
Muhammad Fajar Ramadhan
Sukarni
José Ángel Muñoz Ibáñez
Putri Ayu Lestari
فاطمة الزهراء|fatima|فاطمة
Agus Setiawan
Nguyễn Thị Ngọc Ánh
Raden Mas Bagus Adiwiryo Kusumonegoro Notohadiprawiro|bagus|Bagus
Dewi Safitri
I Wayan Sudarma|wayan|Wayan
Łukasz Wójcik
Nurul Hidayah
Chloé Lefèvre-Dubois
Rizky Pratama
林美玲|meiling|美玲
Ni Luh Putu Eka Yanti|eka|Eka
Søren Kjær
Intan Permatasari
Yohanes Wanggai
יעל בן־דוד|yael|יעל
Andi Tenri Abeng
Keihanaikukauakahihuliheekahaunaele Kealoha|keihana|Keihana
Rina Marlina
Arif Rahman Hakim
Ayşe Yıldırım
Maria Goreti Benge|goreti.benge|Goreti
Dimas Prasetyo
Nadia Khairunnisa
O’Neill Siobhán|siobhan|Siobhán
Bayu Aditya
Žofie Dvořáková
Teuku Iskandar Muda
Lestari
Farhan Maulana
Ratih Kumala Dewi
أحمد بن يوسف|ahmad|أحمد
Cut Nyak Meutia
Joko Susilo
Gabriela Conceição
Hana Salsabila
Mateo Fernández-Quispe
Indah Puspitasari
Rangga Wisnu
Katarzyna Brzęczyszczykiewicz
Wulan Sari
Yusuf Habibie
Anisa Fitriani
김서연|seoyeon|서연
Daniel Situmorang
Aisyah Nur
Pratiwi Sudarmono
Guðrún Þórðardóttir
Ilham Akbar
Mega Utami
Kevin Tanuwijaya
Sekar Arum
Ágnes Szűcs-Horváth`.split('\n')

const veiled =
	'siti.rahmadhani fatima nurul.hidayah intan.permatasari nadia.khairunnisa cut.meutia hana.salsabila anisa.fitriani aisyah.nur'.split(' ')
const long =
	`ratna.wulandari maria.kusumawati sari.wijaya zoe.angstrom putri.lestari nguyen.anh dewi.safitri chloe.dubois meiling eka yael andi.abeng
	keihana rina.marlina ayse.yildirim goreti.benge siobhan zofie.dvorakova lestari ratih.dewi gabriela.conceicao indah.puspitasari
	katarzyna.brzeczyszczykiewicz wulan.sari seoyeon pratiwi.sudarmono gudrun.thordardottir mega.utami sekar.arum agnes.horvath`.split(/\s+/)

/** They registered and wait. */
const waiting = ['Bintang Mahardika', 'Renée Ouédraogo']

const plain = (text: string) =>
	text
		.normalize('NFKD')
		.replaceAll('ł', 'l')
		.replaceAll('Ł', 'l')
		.replaceAll(/[øØ]/g, 'o')
		.replaceAll('æ', 'ae')
		.replaceAll('ð', 'd')
		.replaceAll(/[đĐ]/g, 'd')
		.replaceAll(/[þÞ]/g, 'th')
		.replaceAll('ı', 'i')
		.toLowerCase()
		.replaceAll(/[^a-z]+/g, '')

function personOf(line: string, role: SamplePerson['role'], number: string, groups: readonly number[]): SamplePerson {
	const [name, handle, called] = line.split('|') as [string, string?, string?]
	const words = name.replace(/,.*/, '').split(/[\s-]+/)
	const title = /^Dr\.$/.test(words[0]!)
	const first = title ? words[1]! : words[0]!
	const last = words.at(-1)!
	const own = words.length > 1 ? `${plain(first)}.${plain(last)}` : plain(first)
	const address = handle ?? own
	const face = veiled.includes(address) ? 'veiled' : long.includes(address) ? 'long' : 'short'
	return { name, handle: address, face, number, role, called: called ?? (first === 'I' || first === 'Ni' ? words[1]! : first), groups }
}

export interface SampleSchool {
	admin: SamplePerson
	lecturers: SamplePerson[]
	students: SamplePerson[]
	waiting: SamplePerson[]
}

/** The school with so many students: 60, or fewer. */
export function schoolOf(count: number): SampleSchool {
	const sizes = [18, 16, 14, 12]
	/** In turn by the sizes, so that a small school has students in every group. */
	const groupOf = (i: number) =>
		i < 48 ? i % 4 : (sizes.findIndex((size, group) => size - 12 > i - 48 - [0, 6, 10, 12][group]!) as number)
	return {
		admin: personOf(admin, 'admin', 'A-001', []),
		lecturers: lecturers.map((name, i) => personOf(name, 'lecturer', `L-10${i + 1}`, [])),
		students: students.slice(0, count).map((line, i) => {
			const own = groupOf(i)
			return personOf(line, 'student', `23110${String(i + 1).padStart(2, '0')}`, i % 11 === 10 ? [own, (own + 2) % 4] : [own])
		}),
		waiting: waiting.map((name, i) => personOf(name, 'student', `23119${i}`, [])),
	}
}
