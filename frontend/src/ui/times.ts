/**
 * Times as people read them, in the reader's zone and the language of the interface.
 *
 * Pure: the zone may be given, else it is the browser's own. Never changes a time, only says it.
 */
import type { Language } from './language.ts'

/** British English: 09:04 and 23 November, as schools write it. */
const locales: Record<Language, string> = { en: 'en-GB', id: 'id-ID' }

const formats = new Map<string, Intl.DateTimeFormat>()

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = language + JSON.stringify(options)
	let known = formats.get(key)
	if (!known) {
		known = new Intl.DateTimeFormat(locales[language], options)
		formats.set(key, known)
	}
	return known
}

function zoned(timeZone: string | undefined): Intl.DateTimeFormatOptions {
	return timeZone ? { timeZone } : {}
}

/** 09:04 */
export function clockTime(at: string, language: Language, timeZone?: string): string {
	return format(language, { hour: '2-digit', minute: '2-digit', ...zoned(timeZone) }).format(new Date(at))
}

/** 23 November 2026, 09:04:12 */
export function exactTime(at: string, language: Language, timeZone?: string): string {
	return format(language, {
		day: 'numeric',
		month: 'long',
		year: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit',
		...zoned(timeZone),
	}).format(new Date(at))
}

/** Monday 23 November; with the year when it is not this one. */
export function dayName(at: string, language: Language, now = new Date(), timeZone?: string): string {
	const year = format(language, { year: 'numeric', ...zoned(timeZone) })
	const sameYear = year.format(new Date(at)) === year.format(now)
	return format(language, {
		weekday: 'long',
		day: 'numeric',
		month: 'long',
		...(sameYear ? {} : { year: 'numeric' }),
		...zoned(timeZone),
	}).format(new Date(at))
}

/** 23 November 2026 */
export function date(at: string, language: Language, timeZone?: string): string {
	return format(language, { day: 'numeric', month: 'long', year: 'numeric', ...zoned(timeZone) }).format(new Date(at))
}

/** The day a time falls on, as 2026-11-23: what separators are made of. */
export function dayOf(at: string, timeZone?: string): string {
	const known = `dayOf${timeZone ?? ''}`
	let days = formats.get(known)
	if (!days) {
		days = new Intl.DateTimeFormat('sv-SE', { year: 'numeric', month: '2-digit', day: '2-digit', ...zoned(timeZone) })
		formats.set(known, days)
	}
	return days.format(new Date(at))
}

/** Several names or groups in one sentence: English A, English B. */
export function listOf(names: string[], language: Language): string {
	return new Intl.ListFormat(locales[language], { style: 'narrow', type: 'conjunction' }).format(names)
}

/** 09:04 today, 23 Nov this year, 23/11/2025 before. */
export function shortTime(at: string, language: Language, now = new Date(), timeZone?: string): string {
	if (dayOf(at, timeZone) === dayOf(now.toISOString(), timeZone)) return clockTime(at, language, timeZone)
	const sameYear = dayOf(at, timeZone).slice(0, 4) === dayOf(now.toISOString(), timeZone).slice(0, 4)
	const parts: Intl.DateTimeFormatOptions = sameYear
		? { day: 'numeric', month: 'short' }
		: { day: '2-digit', month: '2-digit', year: 'numeric' }
	return format(language, { ...parts, ...zoned(timeZone) }).format(new Date(at))
}
