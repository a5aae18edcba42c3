/**
 * Keeps the repository the way ARCHITECTURE.md and CONTRIBUTING.md say it is: who imports whom,
 * a test for every rule, file heads and lengths, names, paths.
 *
 * Reads sources as text; runs nothing of them. To change a rule of the house, change it here
 * and there in one commit.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const generated = ['node_modules', 'dist', 'data', 'uploads', 'backups', 'test-results', '.git']
const list = (pattern: string) =>
	globSync(pattern, { cwd: root, exclude: (name) => generated.includes(basename(name)) })
		.map((path) => path.replaceAll('\\', '/'))
		.sort()
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const code = list('{protocol,backend,frontend,ops,bench,tests}/**/*.{ts,tsx,js,css,c}')
const modules = code.filter((path) => /\.(ts|tsx|js)$/.test(path))
const isTest = (path: string) => /^(tests|bench)\/|\.(test|contract|model)\.tsx?$/.test(path)

/** One line a finding; nothing may be found. */
function expectNone(findings: string[], what: string) {
	if (findings.length > 0) assert.fail(`${what}:\n  ${findings.join('\n  ')}`)
}

interface Import {
	from: string
	/** A path from the root, or the name of a package or of a part of Node. */
	to: string
	inside: boolean
	typeOnly: boolean
	names: string[]
}

const statement =
	/^(?:import|export)\s+(type\s+)?([^'"`;()=]*?)\s*from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|\bnew URL\(\s*'(\.[^']+\.tsx?)'/gm

function importsOf(path: string): Import[] {
	return [...read(path).matchAll(statement)].map((match) => {
		const target = (match[3] ?? match[4] ?? match[5] ?? match[6]) as string
		const inside = target.startsWith('.')
		const listed = /\{([^}]*)\}/.exec(match[2] ?? '')?.[1] ?? ''
		return {
			from: path,
			to: inside ? posix.join(posix.dirname(path), target).replace(/\?.*$/, '') : target,
			inside,
			typeOnly: match[1] !== undefined,
			names: listed.split(',').map((name) =>
				name
					.replace(/^\s*type\s+/, '')
					.replace(/\s+as\s.*$/s, '')
					.trim(),
			),
		}
	})
}
const imports = modules.flatMap(importsOf)

/**
 * Who may import whom, beside what stands in one's own part. The first pattern that fits a file says
 * which part it is.
 */
const features = ['accounts', 'classroom', 'chat', 'search', 'notify', 'admin']
const below = ['protocol', 'store', 'ground', 'access', 'parts', 'files', 'http', 'live']
const parts: { part: string; files: RegExp; imports: string[] }[] = [
	{ part: 'protocol', files: /^protocol\//, imports: [] },
	{ part: 'store', files: /^backend\/src\/storage\//, imports: ['protocol'] },
	{ part: 'ground', files: /^backend\/src\/(errors|config|ids|rates)\.ts$/, imports: ['protocol', 'store'] },
	{ part: 'access', files: /^backend\/src\/access\.ts$/, imports: ['protocol', 'store', 'ground'] },
	{ part: 'parts', files: /^backend\/src\/parts\.ts$/, imports: ['protocol', 'store', 'ground', 'access'] },
	{ part: 'files', files: /^backend\/src\/files\//, imports: ['protocol', 'store', 'ground', 'access', 'parts'] },
	{ part: 'http', files: /^backend\/src\/(http|http-files|docs)\.ts$/, imports: ['protocol', 'store', 'ground', 'access', 'parts'] },
	{
		part: 'live',
		files: /^backend\/src\/(live|changes|listeners|presence)\.ts$/,
		imports: ['protocol', 'store', 'ground', 'access', 'parts', 'http'],
	},
	{ part: 'backup', files: /^backend\/src\/backup\//, imports: ['protocol', 'store', 'ground', 'files'] },
	...features.map((name) => ({
		part: name,
		files: new RegExp(`^backend/src/${name}/`),
		imports: name === 'admin' ? [...below, 'backup'] : below,
	})),
	{ part: 'app', files: /^backend\/src\/app\.ts$/, imports: [...below, 'backup', ...features] },
	{ part: 'main', files: /^backend\/src\/main\.ts$/, imports: ['ground', 'store', 'backup', 'app'] },
	{ part: 'web', files: /^frontend\//, imports: ['protocol'] },
	{ part: 'ops', files: /^ops\//, imports: ['protocol', 'store', 'ground', 'files', 'backup'] },
]
const partOf = (path: string) => parts.find(({ files }) => files.test(path))

test('[O2] parts import only what the table allows', () => {
	const findings = modules.filter((path) => !isTest(path) && !partOf(path)).map((path) => `${path} belongs to no part of the table`)
	for (const { from, to, inside } of imports) {
		const own = partOf(from)
		if (!inside || isTest(from) || !own) continue
		const other = partOf(to)
		if (!other) findings.push(`${from} imports ${to}, which belongs to no part`)
		else if (other !== own && !own.imports.includes(other.part)) findings.push(`${from} (${own.part}) imports ${to} (${other.part})`)
	}
	expectNone(findings, 'Imports that the table in tests/tidy.test.ts does not allow')
})

test('[O2] the store knows nothing of the rest, the protocol only zod, and nobody but open.ts the engines', () => {
	const findings = imports
		.filter(({ from }) => !isTest(from))
		.filter(({ from, to, inside, typeOnly }) => {
			if (from.startsWith('protocol/')) return !inside && to !== 'zod'
			if (/storage\/(sqlite|mongo)/.test(to)) return !/storage\/(open|sqlite|mongo)/.test(from)
			if (!from.startsWith('backend/src/storage/')) return false
			if (!inside) return !to.startsWith('node:') && to !== 'bson' && !from.includes('/mongo')
			return to.startsWith('protocol/') && !typeOnly
		})
		.map(({ from, to }) => `${from} imports ${to}`)
	expectNone(findings, 'Imports of engines, or by the store or the protocol')
})

test('[O2] imports name files that exist, with their ending', () => {
	const findings = imports.filter(({ to, inside }) => inside && !existsSync(join(root, to))).map(({ from, to }) => `${from} imports ${to}`)
	expectNone(findings, 'Imports of nothing')
})

const tests = code.filter((path) => /\.(test|spec|contract|model)\.tsx?$/.test(path))
const spec = read('docs/SPEC.md')

test('[O3] every rule has a test, and every test names a rule', () => {
	const rules = [...spec.matchAll(/^- \*\*([A-Z]\d+)\*\* \S.*[.:]$/gm)].map((match) => match[1] as string)
	const bullets = [...spec.matchAll(/^- .*$/gm)].length
	assert.equal(bullets, rules.length, 'Every line of docs/SPEC.md that begins with a dash is a rule: - **S1** A sentence.')
	expectNone(
		rules.filter((rule, index) => rules.indexOf(rule) !== index),
		'Rules that stand twice in docs/SPEC.md',
	)

	const proven = new Set<string>()
	const findings: string[] = []
	for (const path of tests) {
		for (const match of read(path).matchAll(/(?<![\w.])test\(\s*([`'"])(?:\[([A-Z]\d+)\])?(.*)/g)) {
			if (match[2] && rules.includes(match[2])) proven.add(match[2])
			else if (match[2]) findings.push(`${path} proves ${match[2]}, which does not stand in docs/SPEC.md`)
			else findings.push(`${path}: "${match[3]}" names no rule`)
		}
	}
	for (const rule of rules) if (!proven.has(rule)) findings.push(`${rule} has no test`)
	expectNone(findings, 'Rules and tests that do not meet')
})

test('[O3] a rule stands in the section of its letter', () => {
	const findings: string[] = []
	let letter = ''
	for (const line of spec.split('\n')) {
		letter = /^## ([A-Z]) /.exec(line)?.[1] ?? letter
		const rule = /^- \*\*([A-Z])\d+/.exec(line)
		if (rule && rule[1] !== letter) findings.push(line)
	}
	expectNone(findings, 'Rules in another section')
})

test('[O3] no test is left out', () => {
	const dot = String.raw`\.`
	const leftOut = new RegExp(String.raw`\b(test|it|describe|t)${dot}(only|skip|todo|fixme)\b|\{\s*(only|skip|todo)\s*:`)
	expectNone(
		tests.filter((path) => leftOut.test(read(path))),
		'Tests that are skipped or preferred',
	)
})

test('[O4] paths named in ARCHITECTURE.md exist', () => {
	const spans = [...read('ARCHITECTURE.md').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string)
	const paths = spans.filter((span) => /^[\w.-]+(\/[\w.-]+)*\/?$/.test(span) && (span.includes('/') || /\.(ts|tsx|md|js|json)$/.test(span)))
	assert.ok(paths.length > 10, 'ARCHITECTURE.md names the places of things')
	expectNone(
		paths.filter((path) => !existsSync(join(root, path))),
		'Paths in ARCHITECTURE.md that do not exist',
	)
	const lines = read('ARCHITECTURE.md').split('\n').length
	assert.ok(lines <= 250, `ARCHITECTURE.md has ${lines} lines; it stays under 250`)
})

test('[O5] every module begins with what it is, in at most six lines', () => {
	const findings = modules.filter((path) => {
		const head = /^(?:#!.*\n)?\/\*\*\n((?: \*.*\n)+?) \*\/\n/.exec(read(path))?.[1]
		const lines = head?.split('\n').filter((line) => line.replace(/^ \*/, '').trim() !== '').length ?? 0
		return lines < 1 || lines > 6
	})
	expectNone(findings, 'Files without a head of one to six lines')
})

test('[O5] no file has more than 500 lines', () => {
	const findings = code.map((path) => ({ path, lines: read(path).trimEnd().split('\n').length })).filter(({ lines }) => lines > 500)
	expectNone(
		findings.map(({ path, lines }) => `${path}: ${lines} lines`),
		'Files that are too long',
	)
})

test('[O5] files, classes and functions are named after what they are for', () => {
	const empty = /^(utils?|helpers?|managers?|services?|common|index|misc|shared)$/i
	const words = (path: string) =>
		basename(path)
			.split('.')[0]
			?.split(/[-_]|(?=[A-Z])/) ?? []
	const findings = [...modules.filter((path) => words(path).some((word) => empty.test(word)))]
	for (const path of modules) {
		const named = /^export (?:async )?(?:class|function|const|interface|type) (\w*(?:Util|Utils|Helper|Helpers|Manager|Service))\b/gm
		for (const match of read(path).matchAll(named)) findings.push(`${path}: ${match[1]}`)
	}
	expectNone(findings, 'Names that say nothing')
})

test('[O5] a function or class that another folder uses says what it promises', () => {
	// What a screen is stands in the head of its file.
	const findings = new Set<string>()
	for (const { from, to, inside, names } of imports) {
		if (!inside || isTest(to) || to.endsWith('.tsx') || !existsSync(join(root, to)) || dirname(from) === dirname(to)) continue
		const lines = read(to).split('\n')
		for (const name of names.filter(Boolean)) {
			const at = lines.findIndex((line) => new RegExp(`^export (default )?(async )?(abstract )?(function\\*?|class) ${name}\\b`).test(line))
			if (at > 0 && !/\*\/\s*$|^\/\/ biome-ignore/.test(lines[at - 1] as string)) findings.add(`${to}: ${name}`)
		}
	}
	expectNone([...findings], 'Exports without a docstring')
})

test('[O5] nothing names the place where it was written', () => {
	const places = ['work', 'root', 'home/[a-z]+'].map((folder) => `(?<![\\w.])/${folder}/`)
	const pattern = new RegExp(places.join('|'))
	const texts = [...code, ...list('*.{md,json}'), ...list('docs/**/*.md'), '.npmrc', '.ci/run', 'LICENSE']
	expectNone(
		texts.filter((path) => pattern.test(read(path))),
		'Files with an absolute path of one machine',
	)
	assert.ok(!/"resolved":/.test(read('package-lock.json')), 'package-lock.json names no registry: npm writes none with the .npmrc here')
})
