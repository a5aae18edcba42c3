/**
 * The look, as one Mantine theme: paper, ink, one green for what is safe, one marker yellow for
 * what is new.
 *
 * Promises that light and dark differ in nothing but these tokens, and that every colour, face and
 * radius of the product comes from here: style sheets say `var(--ink)`, never a colour of their own.
 */
import { type CSSVariablesResolver, colorsTuple, createTheme, type MantineThemeOverride, type VariantColorsResolver } from '@mantine/core'

const light = {
	'--paper': '#faf8f4',
	'--sheet': '#ffffff',
	'--well': '#f2eee7',
	'--line': '#e4ded3',
	'--line-strong': '#cfc7b8',
	/** The edge of a field, which has to be found by people who see little: 3:1 against paper and sheet. */
	'--field': '#8c8576',
	'--ink': '#23211d',
	'--ink-2': '#6a655b',
	'--ink-3': '#6e685c',
	'--green': '#0e6b57',
	'--green-hover': '#0b5646',
	'--green-soft': '#e2f0ea',
	'--green-ink': '#0b5646',
	'--on-green': '#ffffff',
	'--marker': '#ffd75e',
	'--marker-soft': '#fff4cf',
	'--on-marker': '#3b2f00',
	'--late': '#7d5b00',
	'--red': '#b3382c',
	'--red-soft': '#fbe9e6',
	'--shadow': '0 1px 2px rgb(60 50 30 / .06), 0 6px 20px rgb(60 50 30 / .06)',
	'--veil': 'rgb(60 50 30 / .22)',
}

const dark: typeof light = {
	'--paper': '#171613',
	'--sheet': '#1f1d1a',
	'--well': '#12110f',
	'--line': '#322f2a',
	'--line-strong': '#4a463e',
	'--field': '#7d7668',
	'--ink': '#ece8df',
	'--ink-2': '#a8a193',
	'--ink-3': '#968f81',
	'--green': '#57c3a5',
	'--green-hover': '#6fd0b5',
	'--green-soft': '#17322b',
	'--green-ink': '#8adcc4',
	'--on-green': '#06231c',
	'--marker': '#e3b93c',
	'--marker-soft': '#3a3113',
	'--on-marker': '#3b2f00',
	'--late': '#e3b93c',
	'--red': '#ef8a7d',
	'--red-soft': '#3a1f1b',
	'--shadow': '0 1px 2px rgb(0 0 0 / .4), 0 6px 20px rgb(0 0 0 / .3)',
	'--veil': 'rgb(0 0 0 / .55)',
}

/** The colours of both schemes. */
export const tokens = { light, dark }

/** Behind initials; each carries white text at 4.5:1 in both schemes. */
export const avatarColors = [
	'#0e6b57',
	'#a85c26',
	'#2f5fa8',
	'#7a5ea8',
	'#8a5a7a',
	'#5d6b23',
	'#a0455b',
	'#2f7080',
	'#6b5a2f',
	'#4a5a9c',
	'#7d4a32',
] as const

const faces = {
	ui: '"Inter Variable", Inter, system-ui, "Noto Sans", sans-serif',
	/** Titles and opening prompts only. */
	read: 'Literata, Georgia, "Noto Serif", serif',
}

const own = {
	'--ui': faces.ui,
	'--read': faces.read,
	'--s1': '4px',
	'--s2': '8px',
	'--s3': '12px',
	'--s4': '16px',
	'--s5': '24px',
	'--s6': '32px',
	'--r': '10px',
	'--move': '150ms ease-out',
}

/** Mantine's own names, said in ours. */
const mantine = {
	'--mantine-color-body': 'var(--paper)',
	'--mantine-color-text': 'var(--ink)',
	'--mantine-color-bright': 'var(--ink)',
	'--mantine-color-dimmed': 'var(--ink-2)',
	'--mantine-color-placeholder': 'var(--ink-3)',
	'--mantine-color-anchor': 'var(--green-ink)',
	'--mantine-color-error': 'var(--red)',
	'--mantine-color-default': 'var(--sheet)',
	'--mantine-color-default-hover': 'var(--well)',
	'--mantine-color-default-color': 'var(--ink)',
	'--mantine-color-default-border': 'var(--line-strong)',
	'--mantine-color-disabled': 'var(--well)',
	'--mantine-color-disabled-color': 'var(--ink-3)',
	'--mantine-color-disabled-border': 'var(--line)',
	'--mantine-primary-color-filled': 'var(--green)',
	'--mantine-primary-color-filled-hover': 'var(--green-hover)',
	'--mantine-primary-color-contrast': 'var(--on-green)',
	'--mantine-color-green-filled': 'var(--green)',
	'--mantine-color-green-filled-hover': 'var(--green-hover)',
}

/** Gives Mantine the tokens as CSS variables. */
export const cssVariables: CSSVariablesResolver = () => ({
	variables: own,
	light: { ...light, ...mantine },
	dark: { ...dark, ...mantine },
})

/** Green is the one primary action of a screen; everything else is a quiet button on paper. */
const variants: VariantColorsResolver = ({ variant, color }) => {
	const red = color === 'red'
	if (variant === 'filled')
		return { background: 'var(--green)', hover: 'var(--green-hover)', color: 'var(--on-green)', border: '1px solid transparent' }
	if (variant === 'subtle' || variant === 'transparent')
		return {
			background: 'transparent',
			hover: 'color-mix(in srgb, var(--ink) 7%, transparent)',
			color: red ? 'var(--red)' : 'var(--ink-2)',
			border: '1px solid transparent',
		}
	return {
		background: 'var(--sheet)',
		hover: 'var(--well)',
		color: red ? 'var(--red)' : 'var(--ink)',
		border: '1px solid var(--line-strong)',
	}
}

export const theme: MantineThemeOverride = createTheme({
	fontFamily: faces.ui,
	headings: { fontFamily: faces.read, fontWeight: '600' },
	primaryColor: 'green',
	primaryShade: 7,
	colors: { green: colorsTuple(light['--green']), red: colorsTuple(light['--red']) },
	variantColorResolver: variants,
	fontSizes: { xs: '12px', sm: '14px', md: '15px', lg: '17px', xl: '19px' },
	lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
	spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
	radius: { xs: '4px', sm: '8px', md: '10px', lg: '10px', xl: '18px' },
	defaultRadius: 'sm',
	shadows: { xs: 'var(--shadow)', sm: 'var(--shadow)', md: 'var(--shadow)', lg: 'var(--shadow)', xl: 'var(--shadow)' },
	cursorType: 'pointer',
	respectReducedMotion: true,
	components: {
		Button: { defaultProps: { variant: 'default' } },
		ActionIcon: { defaultProps: { variant: 'subtle' } },
		Checkbox: { defaultProps: { radius: 'xs' } },
		Modal: { defaultProps: { centered: true, radius: 'md', padding: 'xl', transitionProps: { duration: 150, transition: 'fade' } } },
		Menu: {
			defaultProps: {
				withInitialFocusPlaceholder: false,
				radius: 'md',
				shadow: 'md',
				transitionProps: { duration: 120, transition: 'fade' },
			},
		},
	},
})
