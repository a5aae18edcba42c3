/**
 * Every keyboard shortcut of the app, as the sheet lists them: the one place to add one.
 *
 * Only says what there is; the keys work where the screens listen to them.
 */
import type { Key } from '../locales/en.ts'

/** A key as it is called on a keyboard: its cap, or a text where languages differ. */
type Cap =
	| '?'
	| '+'
	| '-'
	| '←'
	| '→'
	| 'J'
	| 'K'
	| 'U'
	| 'R'
	| 'E'
	| '↑'
	| '↓'
	| 'Home'
	| 'End'
	| 'Enter'
	| 'Esc'
	| 'Ctrl'
	| 'Shift'
	| 'Alt'
	| 'Tab'
	| 'keys.space'
	| 'keys.click'

export interface Shortcut {
	/** Pressed together; of several lists any one. */
	keys: Cap[][]
	what: Key
}

export const shortcuts: { title: Key; list: Shortcut[] }[] = [
	{
		title: 'keys.everywhere',
		list: [
			{ keys: [['?']], what: 'keys.sheet' },
			{ keys: [['Esc']], what: 'keys.close' },
			{ keys: [['Tab']], what: 'keys.next' },
		],
	},
	{
		title: 'list.title',
		list: [
			{ keys: [['Ctrl', 'K']], what: 'list.keyFind' },
			{ keys: [['↑'], ['↓']], what: 'list.keyMove' },
		],
	},
	{
		title: 'keys.writing',
		list: [
			{ keys: [['Enter'], ['Ctrl', 'Enter']], what: 'keys.send' },
			{ keys: [['Shift', 'Enter']], what: 'keys.line' },
			{ keys: [['↑']], what: 'keys.editLast' },
			{ keys: [['Esc']], what: 'keys.leave' },
		],
	},
	{
		title: 'keys.reading',
		list: [
			{
				keys: [['↑'], ['↓'], ['K'], ['J']],
				what: 'keys.messages',
			},
			{ keys: [['Home'], ['End']], what: 'keys.ends' },
			{ keys: [['U']], what: 'keys.unread' },
			{ keys: [['R']], what: 'keys.reply' },
			{ keys: [['E']], what: 'keys.edit' },
			{ keys: [['Esc']], what: 'keys.write' },
		],
	},
	{
		title: 'keys.picture',
		list: [
			{ keys: [['←'], ['→']], what: 'keys.pictures' },
			{ keys: [['+'], ['-']], what: 'keys.zoom' },
		],
	},
]

/** For admins too. */
export const adminShortcuts: (typeof shortcuts)[number] = {
	title: 'keys.people',
	list: [
		{ keys: [['↑'], ['↓']], what: 'keys.rows' },
		{ keys: [['keys.space']], what: 'keys.select' },
		{
			keys: [
				['Shift', 'keys.click'],
				['Shift', 'keys.space'],
			],
			what: 'keys.range',
		},
		{ keys: [['Esc']], what: 'keys.selectNone' },
	],
}
