/**
 * A server is lost with all that was on it, and another one takes its place from a copy of `backups/` alone, as
 * docs/OPERATING.md says. Needs rsync.
 */
import { test } from 'node:test'
import { loseEverything } from '../support/total-loss.ts'

test('[O64] all is lost but what rsync -a and cp -r copied: restored before any start, everything is as it was', (t) =>
	loseEverything(t, {
		ways: [
			{ copy: 'rsync -a backups/ "$USB/english-chat-backups"', back: 'rsync -a "$USB/english-chat-backups/" backups' },
			{ copy: 'cp -r backups "$USB"', back: 'cp -r "$USB/backups" .' },
		],
	}))
