/**
 * My account: my picture and details, language and theme, password, and the devices where I am signed in.
 */
import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { useSnapshot } from '../ui/data.tsx'
import { chooseLanguage, type Language, languages, useTexts } from '../ui/language.ts'
import { useSignOut } from '../ui/Me.tsx'
import { nameOf } from '../ui/names.ts'
import { Email, Page, RoleBadge, useScheme } from '../ui/pieces.tsx'
import classes from './account.module.css'
import { ChangePassword } from './ChangePassword.tsx'
import { Devices } from './Devices.tsx'
import { MyDetails } from './MyDetails.tsx'
import { MyPicture } from './MyPicture.tsx'

export default function Account() {
	const { t } = useTexts()
	const { me } = useSnapshot()
	const signOut = useSignOut()
	const [changes, setChanges] = useState(0)
	return (
		<Page title={t('account.title')}>
			<section className={classes.card}>
				<div className={classes.who}>
					<MyPicture />
					<div className={classes.grow}>
						<div className={classes.name}>
							<bdi>{nameOf(me, t)}</bdi> <RoleBadge role={me.role} />
						</div>
						<div className={classes.dim}>{me.email && <Email address={me.email} />}</div>
						{me.number && <div className={classes.dim}>{me.number}</div>}
					</div>
					<Button onClick={signOut.start}>{t('signOut.do')}</Button>
				</div>
			</section>
			<section className={classes.section} aria-labelledby="details">
				<h2 id="details">{t('details.title')}</h2>
				<div className={classes.card}>
					<MyDetails />
				</div>
			</section>
			<Look />
			<ChangePassword onChanged={() => setChanges(changes + 1)} />
			<Devices changes={changes} />
			{signOut.question}
		</Page>
	)
}

function Look() {
	const { t, language } = useTexts()
	const { scheme, setScheme } = useScheme()
	return (
		<section className={classes.section} aria-labelledby="look">
			<h2 id="look">{t('account.look')}</h2>
			<div className={classes.card}>
				<div className={classes.line}>
					<span id="language">{t('account.language')}</span>
					<SegmentedControl
						aria-labelledby="language"
						value={language}
						onChange={(value) => chooseLanguage(value as Language)}
						data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
					/>
				</div>
				<div className={classes.line}>
					<span id="theme">{t('theme.label')}</span>
					<SegmentedControl
						aria-labelledby="theme"
						value={scheme}
						onChange={(value) => setScheme(value as typeof scheme)}
						data={[
							{ value: 'light', label: t('theme.light') },
							{ value: 'dark', label: t('theme.dark') },
							{ value: 'auto', label: t('theme.auto') },
						]}
					/>
				</div>
			</div>
		</section>
	)
}
