/**
 * The service worker: keeps the app's own files, so that it opens without a network, and from this device the second time.
 *
 * Promises that a page always asks the server first and takes the kept one only where that does not answer soon.
 * Never touches what people wrote: `/api` passes by. The build fills in FILES and VERSION (see vite.config.ts).
 */
declare const FILES: readonly string[]
declare const VERSION: string

interface LifeEvent extends Event {
	waitUntil(work: Promise<unknown>): void
}
interface FetchEvent extends LifeEvent {
	request: Request
	respondWith(answer: Promise<Response>): void
}
interface Worker {
	addEventListener(name: 'install' | 'activate', listener: (event: LifeEvent) => void): void
	addEventListener(name: 'fetch', listener: (event: FetchEvent) => void): void
	skipWaiting(): Promise<void>
	clients: { claim(): Promise<void> }
	location: Location
}
const worker = self as unknown as Worker

const family = 'english-chat-app-'
const name = family + VERSION
/** A page that the server does not bring in this time is taken from the device. */
const patienceMs = 2_500

worker.addEventListener('install', (event) => {
	event.waitUntil(keep())
})

worker.addEventListener('activate', (event) => {
	event.waitUntil(takeOver())
})

worker.addEventListener('fetch', (event) => {
	const { request } = event
	const { origin, pathname } = new URL(request.url)
	if (request.method !== 'GET' || origin !== worker.location.origin || pathname.startsWith('/api')) return
	if (request.mode === 'navigate') event.respondWith(page(request))
	else if (FILES.includes(pathname)) event.respondWith(file(request))
})

/** All or nothing: where one file can't be had, the worker before goes on. */
async function keep(): Promise<void> {
	const cache = await caches.open(name)
	await cache.addAll(FILES.map((path) => new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'reload' })))
	await worker.skipWaiting()
}

async function takeOver(): Promise<void> {
	for (const old of await caches.keys()) if (old.startsWith(family) && old !== name) await caches.delete(old)
	await worker.clients.claim()
}

async function page(request: Request): Promise<Response> {
	const kept = await caches.match('/', { cacheName: name })
	if (!kept) return fetch(request)
	const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), patienceMs))
	return Promise.race([fetch(request).catch(() => kept), late])
}

async function file(request: Request): Promise<Response> {
	return (await caches.match(request, { cacheName: name })) ?? fetch(request)
}
