/**
 * The frame of what strangers see: the name, the promise, one card, language and theme.
 */
import type { ReactNode } from 'react'
import { chooseLanguage, languages, useTexts } from '../ui/language.ts'
import { PageTitle } from '../ui/pieces.tsx'
import classes from './door.module.css'

export function Door({ title, intro, children, below }: { title: string; intro?: ReactNode; children: ReactNode; below?: ReactNode }) {
	const { t, language } = useTexts()
	const other = language === 'en' ? 'id' : 'en'
	return (
		<div className={classes.page}>
			<main className={classes.column}>
				<p className={classes.brand}>
					<img src="/icon.svg" alt="" width={34} height={34} />
					English Chat
				</p>
				<p className={classes.promise}>{t('promise')}</p>
				<section className={classes.card}>
					<PageTitle focus={false} className={classes.title}>
						{title}
					</PageTitle>
					{intro && <p className={classes.intro}>{intro}</p>}
					{children}
				</section>
				{below && <p className={classes.below}>{below}</p>}
			</main>
			<footer className={classes.footer}>
				<button type="button" lang={other} className={classes.link} onClick={() => chooseLanguage(other)}>
					{languages[other]}
				</button>
			</footer>
		</div>
	)
}
