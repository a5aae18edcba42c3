/**
 * The language of the interface: English or Indonesian, chosen by the reader, else by her browser.
 *
 * Promises that every text comes from locales/, that a missing key is a type error, and that
 * `<html lang>` says which language is shown. Never asks the server.
 */
import i18next from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import { en } from '../locales/en.ts'
import { id } from '../locales/id.ts'

declare module 'i18next' {
	interface CustomTypeOptions {
		defaultNS: 'translation'
		keySeparator: false
		nsSeparator: false
		resources: { translation: typeof en }
	}
}

export const languages = { en: 'English', id: 'Bahasa Indonesia' } as const
export type Language = keyof typeof languages

const storedUnder = 'language'

/** What was chosen in this browser, else the first of its languages that we speak, else English. */
export function preferredLanguage(stored: string | null, browser: readonly string[]): Language {
	if (stored === 'en' || stored === 'id') return stored
	for (const tag of browser) {
		// Old Java and Android say `in` for Indonesian.
		const language = tag.toLowerCase().split('-')[0]
		if (language === 'id' || language === 'in') return 'id'
		if (language === 'en') return 'en'
	}
	return 'en'
}

/** Before the first screen is rendered. */
export function startLanguage(): void {
	let stored: string | null = null
	try {
		stored = localStorage.getItem(storedUnder)
	} catch {
		// A browser that keeps nothing still has a language.
	}
	const language = preferredLanguage(stored, navigator.languages)
	document.documentElement.lang = language
	i18next.use(initReactI18next).init({
		lng: language,
		fallbackLng: 'en',
		resources: { en: { translation: en }, id: { translation: id } },
		keySeparator: false,
		nsSeparator: false,
		initAsync: false,
		interpolation: { escapeValue: false },
	})
}

/** Changes the language now, and on this device from now on. */
export function chooseLanguage(language: Language): void {
	try {
		localStorage.setItem(storedUnder, language)
	} catch {
		// Then it holds until the page is closed.
	}
	document.documentElement.lang = language
	void i18next.changeLanguage(language)
}

/** The texts, and which language they are in. */
export function useTexts() {
	const { t, i18n } = useTranslation()
	return { t, language: i18n.language as Language }
}

export type Texts = ReturnType<typeof useTexts>['t']
