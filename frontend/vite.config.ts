/**
 * Builds the web app from frontend/ into frontend/dist, and serves it in development with `/api`
 * passed on to a backend (BACKEND, http://localhost:3000 by default). Beside every text file of the
 * build stands its brotli and gzip form, so that the server never compresses while it serves.
 */
import { createHash } from 'node:crypto'
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin, transformWithOxc } from 'vite'

const backend = process.env.BACKEND ?? 'http://localhost:3000'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Fonts of scripts that few read are fetched when they are met, and what is larger than this when it is asked for. */
const keptFile = /\.(js|css)$|-latin(-ext)?-.*\.woff2$|^(icon\.svg|manifest\.webmanifest)$/
const keptBytes = 600_000

/** The service worker, with the names of the files that it keeps. */
const serviceWorker: Plugin = {
	name: 'service-worker',
	apply: 'build',
	async writeBundle({ dir = '' }) {
		const kept = globSync(`${dir}/**/*`)
			.filter((path) => keptFile.test(relative(dir, path)) && statSync(path).size <= keptBytes)
			.sort()
		const hash = createHash('sha256')
		for (const path of [`${dir}/index.html`, ...kept]) hash.update(readFileSync(path))
		const files = ['/', ...kept.map((path) => `/${relative(dir, path)}`)]
		const path = `${root}/src/offlineApp.ts`
		const source = readFileSync(path, 'utf8').replaceAll(/^declare const (FILES|VERSION).*\n/gm, '')
		const filled = `const FILES = ${JSON.stringify(files)}\nconst VERSION = '${hash.digest('hex').slice(0, 16)}'\n`
		writeFileSync(`${dir}/service-worker.js`, filled + (await transformWithOxc(source, path)).code)
	},
}

const compressed: Plugin = {
	name: 'compressed',
	apply: 'build',
	writeBundle({ dir = '' }) {
		for (const path of globSync(`${dir}/**/*.{html,js,json,css,svg,webmanifest}`)) {
			const bytes = readFileSync(path)
			writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
			writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
		}
	},
}

export default defineConfig({
	root,
	plugins: [react(), serviceWorker, compressed],
	build: {
		outDir: 'dist',
		emptyOutDir: true,
		target: 'es2022',
		// Small fonts too are files: the server's policy lets no page load one that is written into a style sheet.
		assetsInlineLimit: 0,
		rolldownOptions: {
			output: {
				// What changes rarely stays in the browser's cache when only our own code is new.
				codeSplitting: {
					groups: [{ name: 'react', test: /node_modules[\\/](react|react-dom|react-router|scheduler|i18next|react-i18next)[\\/]/ }],
				},
			},
		},
	},
	server: { proxy: { '/api': { target: backend, ws: true } } },
})
