/**
 * The field for a new password: its limit, a hint while it is typed, and the eye that shows it.
 */
import { PasswordInput, type PasswordInputProps } from '@mantine/core'
import { useId } from 'react'
import { useTexts } from '../ui/language.ts'
import classes from './door.module.css'
import { type Strength, strengthOf } from './strength.ts'

const filled: Record<Strength, number> = { short: 0, own: 1, guessed: 1, fair: 2, good: 3 }

/** `own`: what others know of her, which makes a bad password. */
export function NewPassword({ own = [], ...field }: PasswordInputProps & { own?: readonly string[] }) {
	const { t } = useTexts()
	const hint = useId()
	const strength = strengthOf(String(field.value ?? ''), own)
	return (
		<div>
			<PasswordInput
				label={t('field.password')}
				description={t('field.passwordHint')}
				autoComplete="new-password"
				aria-describedby={hint}
				visibilityToggleButtonProps={{ 'aria-label': t('field.showPassword') }}
				{...field}
			/>
			<div className={classes.strength} data-strength={strength ?? undefined} id={hint} role="status">
				<span className={classes.bars} aria-hidden="true">
					{[1, 2, 3].map((bar) => (
						<i key={bar} data-on={(strength !== null && bar <= filled[strength]) || undefined} />
					))}
				</span>
				{strength && t(`strength.${strength}`)}
			</div>
		</div>
	)
}
