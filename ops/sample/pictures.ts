/**
 * Pictures that a class would send, drawn here: landscapes, charts, handwritten notes, faces.
 *
 * Promises the same bytes for the same seed on one machine. Uses no fonts, since small servers have none: what looks like
 * writing is strokes.
 */
import sharp from 'sharp'
import { type Chance, openChance } from './chance.ts'

export type PictureKind = 'landscape' | 'chart' | 'note' | Face
/** Somebody with short or long hair, or a veil. */
export type Face = 'short' | 'long' | 'veiled'

export interface Picture {
	bytes: Buffer
	type: 'image/jpeg' | 'image/png'
	width: number
	height: number
}

const drawings: Record<PictureKind, { size: readonly [number, number]; png: boolean; draw(chance: Chance, w: number, h: number): string }> =
	{
		landscape: { size: [1280, 852], png: false, draw: landscape },
		chart: { size: [1080, 720], png: true, draw: chart },
		note: { size: [960, 1240], png: false, draw: note },
		short: { size: [512, 512], png: false, draw: (...place) => face('short', ...place) },
		long: { size: [512, 512], png: false, draw: (...place) => face('long', ...place) },
		veiled: { size: [512, 512], png: false, draw: (...place) => face('veiled', ...place) },
	}

/** Draws a picture; `scale` 0.25 makes it a quarter as wide. Not in the server's process, whose sharp reads no SVG. */
export async function drawPicture(kind: PictureKind, seed: string, scale = 1): Promise<Picture> {
	const { size, png, draw } = drawings[kind]
	const chance = openChance(`${kind} ${seed}`)
	const [w, h] = kind === 'landscape' && chance.happens(0.25) ? [size[1], size[0]] : size
	const [width, height] = [Math.round(w * scale), Math.round(h * scale)]
	const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${w} ${h}">`
	const drawing = sharp(Buffer.from(`${open}${draw(chance, w, h)}</svg>`)).flatten({ background: '#ffffff' })
	const bytes = await (png ? drawing.png({ compressionLevel: 9 }) : drawing.jpeg({ quality: 80 })).toBuffer()
	return { bytes, type: png ? 'image/png' : 'image/jpeg', width, height }
}

const n = (value: number) => value.toFixed(1)
const line = (points: readonly (readonly [number, number])[]) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${n(x)} ${n(y)}`).join('')
const gradient = (id: string, stops: readonly string[]) =>
	`<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stops
		.map((color, i) => `<stop offset="${n((i * 100) / (stops.length - 1))}%" stop-color="${color}"/>`)
		.join('')}</linearGradient>`

// The colours of the sky (from above), of the hills (from far to near), and of the sun.
const lights = [
	{ sky: ['#27406b', '#e08a6d', '#f8d8a4'], hills: ['#8a7a92', '#5c5f7e', '#3a4763', '#22304a'], sun: '#fff0c9' },
	{ sky: ['#5aa6d8', '#a9d5ec', '#e9f5f4'], hills: ['#9cc3b4', '#6ca58a', '#42805f', '#275c42'], sun: '#fffdf0' },
	{ sky: ['#7d8b96', '#aab5bb', '#d7dbd8'], hills: ['#a3adad', '#7b8a88', '#566864', '#384a45'], sun: '#e9ecea' },
	{ sky: ['#1d1b3a', '#66407c', '#e2707a'], hills: ['#7a5582', '#553f70', '#372c55', '#1e1a36'], sun: '#ffd9b0' },
	{ sky: ['#86b7c9', '#f1d9b8', '#fbeeda'], hills: ['#c9b287', '#a3925c', '#71763f', '#4a5a2f'], sun: '#fff7df' },
]

/** A line of hills from left to right, closed below. */
function ridge(chance: Chance, w: number, h: number, y: number, rough: number): string {
	const waves = [1, 2.3, 4.7, 9.1].map((often, i) => ({ often, high: rough / (i + 1) ** 1.4, from: chance.next() * 7 }))
	const points: [number, number][] = []
	for (let x = -10; x <= w + 10; x += 10) {
		points.push([x, y - waves.reduce((sum, { often, high, from }) => sum + Math.sin((x / w) * often * Math.PI + from) * high, 0)])
	}
	return `${line(points)}L${w + 10} ${h + 10}L-10 ${h + 10}Z`
}

function palm(chance: Chance, x: number, y: number, size: number, color: string): string {
	const lean = (chance.next() - 0.5) * size * 0.5
	const [topX, topY] = [x + lean, y - size]
	const trunk = `<path d="M${n(x)} ${n(y)}Q${n(x)} ${n(y - size * 0.6)} ${n(topX)} ${n(topY)}" stroke-width="${n(size * 0.06)}"/>`
	const leaves = Array.from({ length: 8 }, (_, i) => {
		const angle = (i / 8) * Math.PI * 2 + chance.next() * 0.5
		const [dx, dy] = [Math.cos(angle) * size * 0.42, Math.sin(angle) * size * 0.2]
		const bent = `Q${n(topX + dx * 0.6)} ${n(topY + dy - size * 0.12)} ${n(topX + dx)} ${n(topY + dy + size * 0.16)}`
		return `<path d="M${n(topX)} ${n(topY)}${bent}" stroke-width="${n(size * 0.045)}"/>`
	})
	return `<g fill="none" stroke="${color}" stroke-linecap="round">${trunk}${leaves.join('')}</g>`
}

function cloud(chance: Chance, x: number, y: number, size: number): string {
	const puffs = Array.from({ length: 5 }, (_, i) => {
		const rx = size * (0.3 + chance.next() * 0.3)
		return `<ellipse cx="${n(x + (i - 2) * size * 0.38)}" cy="${n(y + (chance.next() - 0.5) * size * 0.16)}" rx="${n(rx)}" ry="${n(rx * 0.42)}"/>`
	})
	return `<g fill="#ffffff" opacity="${n(0.25 + chance.next() * 0.45)}">${puffs.join('')}</g>`
}

function landscape(chance: Chance, w: number, h: number): string {
	const { sky, hills, sun } = chance.pick(lights)
	const horizon = h * (0.42 + chance.next() * 0.16)
	const sea = chance.happens(0.35)
	const parts = [`<defs>${gradient('sky', sky)}${gradient('sea', [sky[2]!, hills[1]!, hills[2]!])}</defs>`]
	parts.push(`<rect width="${w}" height="${h}" fill="url(#sky)"/>`)
	const [sunX, sunY] = [w * (0.15 + chance.next() * 0.7), horizon - h * (0.05 + chance.next() * 0.25)]
	for (const [r, opacity] of [
		[0.16, 0.18],
		[0.1, 0.3],
		[0.055, 1],
	] as const) {
		parts.push(`<circle cx="${n(sunX)}" cy="${n(sunY)}" r="${n(h * r)}" fill="${sun}" opacity="${opacity}"/>`)
	}
	for (let i = chance.between(1, 5); i > 0; i--) {
		parts.push(cloud(chance, chance.next() * w, horizon * (0.15 + chance.next() * 0.6), w * (0.06 + chance.next() * 0.09)))
	}
	if (sea) parts.push(`<path d="${ridge(chance, w, h, horizon, h * 0.04)}" fill="${hills[0]}"/>`)
	else {
		hills.forEach((color, i) => {
			const y = horizon + ((h - horizon) * i) / hills.length
			parts.push(`<path d="${ridge(chance, w, h, y, h * (0.12 - i * 0.025))}" fill="${color}"/>`)
		})
	}
	if (sea) {
		parts.push(`<rect y="${n(horizon + h * 0.05)}" width="${w}" height="${h}" fill="url(#sea)"/>`)
		for (let i = 0; i < 60; i++) {
			const far = chance.next() ** 2
			const y = horizon + h * 0.06 + far * h * 0.5
			const [x, long] = [chance.next() * w, w * (0.01 + far * 0.09)]
			parts.push(`<path d="M${n(x)} ${n(y)}h${n(long)}" stroke="${sun}" stroke-width="${n(1 + far * 3)}" opacity="0.35"/>`)
		}
		parts.push(`<path d="${ridge(chance, w, h, h * 0.94, h * 0.03)}" fill="${hills[3]}"/>`)
	} else if (chance.happens(0.6)) {
		// Terraces of rice.
		for (let i = 0; i < 7; i++) {
			const y = h * (0.74 + i * 0.04)
			const d = ridge(chance.fork('terrace'), w, h, y, h * 0.03)
			parts.push(`<path d="${d}" fill="none" stroke="${sky[2]}" stroke-width="2.5" opacity="0.35"/>`)
		}
	}
	for (let i = chance.between(0, 3); i > 0; i--) {
		parts.push(palm(chance, w * chance.next(), h * 0.97, h * (0.22 + chance.next() * 0.2), hills[3]!))
	}
	return parts.join('')
}

// Digits as strokes in a box of 2 by 4.
const digits: Record<string, string> = {
	0: 'M0 0h2v4h-2Z',
	1: 'M0.3 0.8L1.2 0V4',
	2: 'M0 0h2v2h-2v2h2',
	3: 'M0 0h2v4h-2M0.4 2h1.6',
	4: 'M0 0v2h2M2 0v4',
	5: 'M2 0h-2v2h2v2h-2',
	6: 'M2 0h-2v4h2v-2h-2',
	7: 'M0 0h2L0.8 4',
	8: 'M0 0h2v4h-2ZM0 2h2',
	9: 'M2 2h-2v-2h2v4h-2',
	'%': 'M2 0L0 4M0.2 0.2h0.5v0.7h-0.5ZM1.4 3.1h0.5v0.7h-0.5Z',
}

function numeral(text: string, x: number, y: number, size: number, color: string): string {
	const strokes = [...text].map((char, i) => `<path transform="translate(${i * 2.9} 0)" d="${digits[char]}"/>`).join('')
	const place = `translate(${n(x)} ${n(y)}) scale(${n(size / 4)})`
	return `<g transform="${place}" fill="none" stroke="${color}" stroke-width="0.42" stroke-linecap="round" stroke-linejoin="round">${strokes}</g>`
}

const inks = [
	['#2f5d62', '#5e8b7e', '#a7c4bc', '#dfeeea', '#e2a15e'],
	['#37306b', '#66347f', '#9e4784', '#d27685', '#f0b27a'],
	['#1f4068', '#2a6f97', '#61a5c2', '#a9d6e5', '#f4a261'],
]

function chart(chance: Chance, w: number, h: number): string {
	const ink = chance.pick(inks)
	const [left, top, right, bottom] = [110, 90, w - 60, h - 90]
	const parts = [`<rect width="${w}" height="${h}" fill="#fdfcf9"/>`]
	const many = chance.between(4, 7)
	const values = Array.from({ length: many }, () => chance.between(8, 96))
	if (chance.happens(0.3)) {
		const total = values.reduce((sum, value) => sum + value, 0)
		const [cx, cy, r] = [w * 0.4, h / 2, h * 0.36]
		let from = -Math.PI / 2
		values.forEach((value, i) => {
			const to = from + (value / total) * Math.PI * 2
			const [x1, y1, x2, y2] = [cx + Math.cos(from) * r, cy + Math.sin(from) * r, cx + Math.cos(to) * r, cy + Math.sin(to) * r]
			const arc = `A${n(r)} ${n(r)} 0 ${to - from > Math.PI ? 1 : 0} 1 ${n(x2)} ${n(y2)}`
			const color = ink[i % ink.length]!
			parts.push(`<path d="M${n(cx)} ${n(cy)}L${n(x1)} ${n(y1)}${arc}Z" fill="${color}" stroke="#fdfcf9" stroke-width="4"/>`)
			parts.push(`<rect x="${w * 0.74}" y="${n(110 + i * 64)}" width="34" height="34" rx="6" fill="${color}"/>`)
			parts.push(numeral(`${Math.round((value / total) * 100)}%`, w * 0.74 + 52, 112 + i * 64, 30, '#4a4a4a'))
			from = to
		})
		return parts.join('')
	}
	for (let i = 0; i <= 5; i++) {
		const y = bottom - ((bottom - top) * i) / 5
		parts.push(`<path d="M${left} ${n(y)}H${right}" stroke="#e4e0d8" stroke-width="${i ? 1.5 : 3}"/>`)
		parts.push(numeral(`${i * 20}`, 40, y - 12, 24, '#77736b'))
	}
	const place = (i: number) => left + ((right - left) * (i + 0.5)) / many
	const level = (value: number) => bottom - ((bottom - top) * value) / 100
	const wide = ((right - left) / many) * 0.58
	if (chance.happens(0.45)) {
		for (const [row, color] of [values, values.map((value) => Math.max(4, Math.min(98, value + chance.between(-30, 30))))].entries()) {
			const points = color.map((value, i) => [place(i), level(value)] as [number, number])
			parts.push(`<path d="${line(points)}" fill="none" stroke="${ink[row ? 4 : 0]}" stroke-width="6" stroke-linejoin="round"/>`)
			for (const [x, y] of points)
				parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="9" fill="#fdfcf9" stroke="${ink[row ? 4 : 0]}" stroke-width="5"/>`)
		}
	} else {
		values.forEach((value, i) => {
			const y = level(value)
			const color = ink[i === values.indexOf(Math.max(...values)) ? 4 : 1]
			parts.push(`<rect x="${n(place(i) - wide / 2)}" y="${n(y)}" width="${n(wide)}" height="${n(bottom - y)}" rx="8" fill="${color}"/>`)
			parts.push(numeral(`${value}`, place(i) - 18, y - 40, 26, '#4a4a4a'))
		})
	}
	for (let i = 0; i < many; i++) parts.push(numeral(`${i + 1}`, place(i) - 6, bottom + 24, 26, '#77736b'))
	return parts.join('')
}

/** A word of joined strokes, and where the pen is after it. */
function scribble(chance: Chance, x: number, y: number, letters: number, size: number): { d: string; end: number } {
	let [d, at] = [`M${n(x)} ${n(y)}`, x]
	for (let i = 0; i < letters; i++) {
		const wide = size * (0.34 + chance.next() * 0.3)
		const high = size * (chance.happens(0.25) ? 1.15 : 0.5) * (0.85 + chance.next() * 0.3)
		const low = chance.happens(0.13) ? size * 0.55 : 0
		d += `C${n(at + wide * 0.2)} ${n(y - high)} ${n(at + wide * 0.9)} ${n(y - high)} ${n(at + wide * 0.55)} ${n(y - high * 0.15)}`
		d += `S${n(at + wide * 0.7)} ${n(y + low + 3)} ${n(at + wide)} ${n(y - size * 0.06)}`
		at += wide
	}
	return { d, end: at }
}

function note(chance: Chance, w: number, h: number): string {
	const ink = chance.pick(['#24315e', '#2b2b2b', '#31486e'])
	const parts = [`<rect width="${w}" height="${h}" fill="${chance.pick(['#fbf7ec', '#f7f6f2', '#fdf9f1'])}"/>`]
	const step = 54
	for (let y = 150; y < h - 40; y += step) parts.push(`<path d="M0 ${y}H${w}" stroke="#bcd0de" stroke-width="1.6" opacity="0.8"/>`)
	parts.push(`<path d="M96 0V${h}" stroke="#e3a0a0" stroke-width="2"/>`)
	const words: { x: number; y: number; end: number }[] = []
	const strokes: string[] = []
	const lines = chance.between(9, Math.floor((h - 260) / step))
	for (let i = 0; i <= lines; i++) {
		const y = 150 + i * step - 8
		const stop = i === lines ? w * 0.5 : w - 90
		let x = 122 + (i === 0 ? 120 : chance.next() * 10)
		while (x < stop) {
			const { d, end } = scribble(chance, x, y + (chance.next() - 0.5) * 5, chance.between(2, 9), 30)
			if (end > w - 30) break
			strokes.push(d)
			words.push({ x, y, end })
			x = end + 20 + chance.next() * 8
			if (i === 0 && words.length > 2) break
		}
	}
	parts.push(
		`<path d="${strokes.join('')}" fill="none" stroke="${ink}" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/>`,
	)
	// What the lecturer marked.
	const marks = words.slice(3).filter(() => chance.happens(0.07))
	const red = marks.map(({ x, y, end }, i) => {
		if (i % 2) return `M${n(x)} ${n(y + 12)}q${n((end - x) / 4)} 9 ${n((end - x) / 2)} 0t${n((end - x) / 2)} 0`
		const [rx, middle] = [(end - x) / 2 + 12, (x + end) / 2]
		return `M${n(middle - rx)} ${n(y - 10)}a${n(rx)} 27 0 1 1 ${n(rx * 2)} 2a${n(rx)} 27 0 1 1 ${n(-rx * 2)} 4`
	})
	red.push(`M${w - 170} ${h - 90}l26 30l60 -78`)
	parts.push(`<path d="${red.join('')}" fill="none" stroke="#c8473d" stroke-width="4" stroke-linecap="round" opacity="0.85"/>`)
	return parts.join('')
}

const skins = ['#f2d3bc', '#e0ac8a', '#c68863', '#a06a48', '#7b4b33']
const cloths = ['#4f7f8c', '#b5655a', '#7d6a9c', '#6d8f5e', '#d09a4e', '#40506b']
const walls = ['#dfe9e6', '#f3e4d3', '#e6e0ef', '#e2ecd9', '#f5dedb', '#d9e4f0']
const hairs = ['#2a2320', '#3d2b22', '#5a3b28', '#1d1d24', '#8b6b4a']

function face(kind: Face, chance: Chance, w: number, h: number): string {
	const [skin, cloth, hair, wall] = [chance.pick(skins), chance.pick(cloths), chance.pick(hairs), chance.pick(walls)]
	const parts = [
		`<rect width="${w}" height="${h}" fill="${wall}"/><circle cx="${w * 0.78}" cy="${h * 0.2}" r="${w * 0.34}" fill="#fff" opacity="0.35"/>`,
	]
	parts.push(`<path d="M60 ${h}C70 400 170 372 256 372S442 400 452 ${h}Z" fill="${cloth}"/>`)
	if (kind === 'veiled')
		parts.push(`<path d="M118 470C96 250 130 96 256 92S416 250 394 470C340 430 172 430 118 470Z" fill="${chance.pick(cloths)}"/>`)
	else if (kind === 'long') parts.push(`<path d="M130 410C96 220 150 92 256 92S416 220 382 410Z" fill="${hair}"/>`)
	parts.push(
		`<path d="M222 330h68v62c-16 22 -52 22 -68 0Z" fill="${skin}"/><path d="M222 344c20 22 48 22 68 0v16c-22 20 -46 20 -68 0Z" opacity="0.12"/>`,
	)
	parts.push(`<ellipse cx="256" cy="248" rx="88" ry="110" fill="${skin}"/>`)
	if (kind === 'veiled')
		parts.push(`<path d="M166 250C160 130 210 128 256 128S352 130 346 250C340 180 310 164 256 164S172 180 166 250Z" fill="${cloth}"/>`)
	else
		parts.push(
			`<path d="M160 250C150 130 200 112 262 112S368 140 352 250C340 200 318 184 ${chance.between(230, 290)} 178S176 200 160 250Z" fill="${hair}"/>`,
		)
	for (const x of [222, 290])
		parts.push(
			`<ellipse cx="${x}" cy="254" rx="8" ry="10" fill="#2b2522"/><path d="M${x - 18} 230q18 -12 36 0" stroke="#3a2f2a" stroke-width="5" fill="none" stroke-linecap="round"/>`,
		)
	if (chance.happens(0.3))
		parts.push(
			'<g fill="none" stroke="#3b3b45" stroke-width="5"><circle cx="222" cy="256" r="28"/><circle cx="290" cy="256" r="28"/><path d="M250 254q6 -6 12 0"/></g>',
		)
	const smile = chance.between(10, 26)
	parts.push(
		`<path d="M226 308q30 ${smile} 60 0" stroke="#8f3f3a" stroke-width="6" fill="none" stroke-linecap="round"/><path d="M256 262q-8 22 2 26" stroke="#00000033" stroke-width="4" fill="none"/>`,
	)
	return parts.join('')
}
