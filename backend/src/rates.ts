/**
 * How often somebody may do something: token buckets with a name each.
 *
 * Promises bounded memory: the buckets that were used longest ago go first. Never looks at
 * what is done, only at how often.
 */
import { fail } from './errors.ts'

/** `burst` at once, then `perMinute`. */
export interface Rate {
	burst: number
	perMinute: number
}

/** The limits of one installation. */
export interface RateLimits {
	/** Commands of one account. */
	commands: Rate
	/** Batches of returned commands of one account. */
	returns: Rate
	/** Failed sign-ins of one account from one address, and from everywhere. */
	failuresHere: Rate
	failures: Rate
	/** Registrations from one address: a whole class shares one, so very many. */
	registrations: Rate
	/** Typing frames of one account, and what it says that it looks at. */
	typing: Rate
	looking: Rate
	/** Read positions of one account. */
	reads: Rate
	/** Files of one account. */
	uploads: Rate
	/** Searches of strangers, by address. */
	lookups: Rate
}

export const defaultRates: RateLimits = {
	commands: { burst: 200, perMinute: 300 },
	returns: { burst: 200, perMinute: 120 },
	failuresHere: { burst: 8, perMinute: 2 },
	failures: { burst: 60, perMinute: 10 },
	registrations: { burst: 1_000, perMinute: 300 },
	typing: { burst: 10, perMinute: 60 },
	looking: { burst: 60, perMinute: 120 },
	reads: { burst: 60, perMinute: 120 },
	uploads: { burst: 120, perMinute: 120 },
	lookups: { burst: 1_000, perMinute: 600 },
}

export type Rates = { [N in keyof RateLimits]: Buckets }

/** One kind of limit: a bucket for each name that used it. */
export interface Buckets {
	/** Takes one token; how many seconds to wait when there is none, else 0. */
	take(name: string): number
	/** Puts a token back that should not have counted. */
	giveBack(name: string): void
}

const bucketsKept = 50_000

function openBuckets({ burst, perMinute }: Rate): Buckets {
	const buckets = new Map<string, { tokens: number; at: number }>()
	const fill = (name: string) => {
		const now = performance.now()
		const bucket = buckets.get(name)
		if (!bucket) return { tokens: burst, at: now }
		bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 60_000) * perMinute)
		bucket.at = now
		return bucket
	}
	const missing = (tokens: number) => (tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - tokens) / perMinute) * 60)))
	return {
		take(name) {
			const bucket = fill(name)
			const seconds = missing(bucket.tokens)
			if (seconds === 0) bucket.tokens--
			buckets.delete(name)
			buckets.set(name, bucket)
			if (buckets.size > bucketsKept) buckets.delete(buckets.keys().next().value!)
			return seconds
		},
		giveBack(name) {
			const bucket = buckets.get(name)
			if (bucket) bucket.tokens = Math.min(burst, bucket.tokens + 1)
		},
	}
}

/** Opens all buckets, empty of names. */
export function openRates(limits: RateLimits): Rates {
	return Object.fromEntries(Object.entries(limits).map(([name, rate]) => [name, openBuckets(rate)])) as Rates
}

/** Tells somebody to slow down. */
export function tooOften(retryAfterSeconds: number): never {
	fail('rate_limited', `That was a bit too often. Please wait ${retryAfterSeconds} s.`, { retryAfterSeconds })
}
