/**
 * The names of files: made harmless when they come in, and told to browsers when they go out.
 *
 * Promises that a name is no path, does not turn the order of its letters around, and can't end
 * the header that it stands in. Never decides what a file is: its bytes do.
 */

// Marks that turn the direction of writing, so that "exe.txt" may read "txt.exe"; and line and paragraph ends.
const turning = /[\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

/** The last part of a path, without what a file system or a reader could trip over. */
export function cleanName(name: string): string {
	const last = name
		.replaceAll(turning, '')
		.split(/[/\\]/)
		.findLast((part) => part.trim() !== '')
	const clean = (last ?? '')
		.replaceAll(/[<>:"|?*]/g, '_')
		.replace(/^[. ]+/, '')
		.replace(/[. ]+$/, '')
	return clean || 'file'
}

/** A name with the ending of what the file has become. */
export function renamed(name: string, ending: string): string {
	return `${name.replace(/\.[a-z0-9]{1,5}$/i, '').slice(0, 190) || 'file'}.${ending}`
}

/** The content-disposition header (RFC 6266): plain letters for old programs, the name itself for the others. */
export function disposition(kind: 'inline' | 'attachment', name: string): string {
	const plain = name.replaceAll(/[^\x20-\x7e]|["%\\]/g, '_')
	const whole = encodeURIComponent(name).replaceAll(/['()*!]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
	return `${kind}; filename="${plain}"; filename*=UTF-8''${whole}`
}
