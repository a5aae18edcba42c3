/**
 * Several people who all listen: each with what she heard, to be compared with what a fetch shows.
 */
import type { Somebody } from './class.ts'
import { assertSame, type Listening, View } from './client.ts'

export interface Watched {
	views: { client: Somebody; view: View }[]
	listening: Listening[]
	/** Asserts for each of them that up to this entry state by events equals state by fetch. */
	same(seq: number): Promise<void>
	/** Whoever listens again from where she was, as a browser does that had no network. */
	comeBack(): void
	/** Closes all of their sockets. */
	goAway(): void
}

/** A view for each of these, all listening. */
export async function watch(...clients: Somebody[]): Promise<Watched> {
	const views = clients.map((client) => ({ client, view: new View(client) }))
	const listening: Listening[] = []
	for (const { view } of views) listening.push(await view.open())
	return {
		views,
		listening,
		async same(seq) {
			await Promise.all(views.map(({ client, view }) => assertSame(client, view, seq)))
		},
		comeBack() {
			for (const [i, { view }] of views.entries()) listening[i] = view.listen(listening[i]!.upTo!)
		},
		goAway() {
			for (const one of listening) one.close()
		},
	}
}

/** The texts that each of them holds, null for those that are gone. */
export function textsOf({ views }: Watched): (string | null)[][] {
	return views.map(({ view }) => [...view.records.messages.values()].map((message) => (message as never as { text: string }).text))
}

/** Everybody who was told to fetch anew. */
export function resyncs({ listening }: Watched): unknown[] {
	return listening.flatMap(({ frames }) => frames.filter((frame) => frame.t === 'resync'))
}
