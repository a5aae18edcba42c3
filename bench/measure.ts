/**
 * How the bench compares: contestants take turns in one run, and what is judged is the median of
 * the ratios round by round. Absolute figures stand beside it and are never judged.
 */

/** One line of the table. */
export interface Line {
	name: string
	goal: { atLeast: number } | { atMost: number }
	ratio: number
	/** What was measured, and by which generator. */
	detail: string
	/** What else was part of it, such as a database server: shown once. */
	on?: string
}

/** A part of the bench: measures, and reports its lines. */
export interface Part {
	/** The names of its lines, as `--only` finds them. */
	names: readonly string[]
	run(report: (line: Line) => void): Promise<void>
}

export function met({ goal, ratio }: Line): boolean {
	return 'atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b)
	const middle = sorted.length >> 1
	return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export type Figures<K extends string> = Record<K, number[]>

/** Lets the contestants take turns, three times each unless BENCH_ROUNDS says otherwise. */
export async function rounds<K extends string>(
	contestants: Record<K, () => Promise<number>>,
	count = Number(process.env.BENCH_ROUNDS ?? 3),
): Promise<Figures<K>> {
	const names = Object.keys(contestants) as K[]
	const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Figures<K>
	for (let round = 0; round < count; round++) for (const name of names) figures[name].push(await contestants[name]())
	return figures
}

/** The median of the ratios of two contestants, round by round. */
export function ratio<K extends string>(figures: Figures<K>, of: K, to: K): number {
	return median(figures[of].map((value, round) => value / figures[to][round]!))
}

/** A number for people. */
export function shown(value: number): string {
	return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

/** `name 1,234 unit` for each, in medians. */
export function described<K extends string>(figures: Figures<K>, names: Record<string, K>, unit: string): string {
	return Object.entries(names)
		.map(([name, key]) => `${name} ${shown(median(figures[key]))}${unit}`)
		.join(', ')
}
