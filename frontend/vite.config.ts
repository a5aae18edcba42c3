/**
 * Builds the web app from frontend/ into frontend/dist, and serves it in development with `/api`
 * passed on to a backend (BACKEND, http://localhost:3000 by default). Beside every text file of the
 * build stands its brotli and gzip form, so that the server never compresses while it serves.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const backend = process.env.BACKEND ?? 'http://localhost:3000'

const root = fileURLToPath(new URL('.', import.meta.url))

const compressed: Plugin = {
	name: 'compressed',
	apply: 'build',
	writeBundle({ dir = '' }) {
		for (const path of globSync(`${dir}/**/*.{html,js,css,svg,webmanifest}`)) {
			const bytes = readFileSync(path)
			writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
			writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
		}
	},
}

export default defineConfig({
	root,
	plugins: [react(), compressed],
	build: {
		outDir: 'dist',
		emptyOutDir: true,
		target: 'es2022',
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
