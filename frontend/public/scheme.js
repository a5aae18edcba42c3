/**
 * Sets light or dark before the first paint, as this browser was told or as its system is.
 * Runs in the head, a file of its own because the page allows no inline script. Stores nothing.
 */
;(() => {
	let chosen = null
	try {
		chosen = localStorage.getItem('mantine-color-scheme-value')
	} catch {}
	const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
	document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
