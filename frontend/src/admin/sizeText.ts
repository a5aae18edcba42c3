/**
 * How large something is, for people: 3.2 MB, in their language.
 */
const units = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

export function sizeText(bytes: number, language: string): string {
	const power = Math.min(units.length, Math.max(1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
	const value = bytes / 1_000 ** power
	const maximumFractionDigits = value < 10 ? 1 : 0
	return value.toLocaleString(language, { style: 'unit', unit: units[power - 1]!, unitDisplay: 'short', maximumFractionDigits })
}
