/**
 * Text as a file: plain, or as a PDF of one page.
 */

/** The bytes of a file of this name that says this text. */
export function writeHandout(name: string, text: string): Buffer {
	return name.endsWith('.pdf') ? pdf(text) : Buffer.from(text)
}

/** One page in Helvetica; the text is ASCII. */
function pdf(text: string): Buffer {
	const shown = text.split('\n').map((line) => `(${line.replaceAll(/[\\()]/g, '\\$&')}) Tj T*`)
	const drawing = `BT /F1 13 Tf 19 TL 64 770 Td ${shown.join('\n')} ET`
	const objects = [
		'<< /Type /Catalog /Pages 2 0 R >>',
		'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
		'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
		`<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`,
		'<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
	]
	let body = '%PDF-1.4\n'
	const places: string[] = []
	for (const [i, object] of objects.entries()) {
		places.push(`${String(body.length).padStart(10, '0')} 00000 n \n`)
		body += `${i + 1} 0 obj\n${object}\nendobj\n`
	}
	const end = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`
	return Buffer.from(`${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join('')}${end}`, 'latin1')
}
