/**
 * The clipboard, also where the browser has none for pages without HTTPS.
 */

/** Copies a text; false: this browser does not let us. */
export async function copyText(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text)
		return true
	} catch {
		return copySelected(text)
	}
}

/** The old way: a field that nobody sees, selected and copied. */
function copySelected(text: string): boolean {
	const field = document.createElement('textarea')
	field.value = text
	field.readOnly = true
	field.style.position = 'fixed'
	field.style.opacity = '0'
	const focused = document.activeElement
	document.body.append(field)
	field.select()
	try {
		return document.execCommand('copy')
	} catch {
		return false
	} finally {
		field.remove()
		if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
	}
}
