/**
 * How far a backup, a drill or a restore is, for whoever watches: a terminal, a log, the admin's page.
 *
 * Promises nothing but the shape; whoever works calls it as often as it likes, whoever shows it keeps the pace.
 */

/** What is being done, in the order in which it comes. */
export type Doing =
	| 'waiting'
	| 'checking'
	| 'reading'
	| 'files'
	| 'verifying'
	| 'drilling'
	| 'safety'
	| 'restoring'
	| 'comparing'
	| 'pruning'

export interface Step {
	doing: Doing
	done: number
	/** Null: not known yet. */
	total: number | null
	unit: 'records' | 'bytes' | 'files'
}
export type Progress = (step: Step) => void

export const silent: Progress = () => {}
