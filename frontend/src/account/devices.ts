/**
 * What a browser calls itself, as people would say it: Firefox on Windows. Pure; null when it says nothing we know.
 */
const browsers: [RegExp, string][] = [
	[/Edg\//, 'Edge'],
	[/OPR\//, 'Opera'],
	[/SamsungBrowser\//, 'Samsung Internet'],
	[/Firefox\/|FxiOS\//, 'Firefox'],
	[/Chrome\/|CriOS\//, 'Chrome'],
	[/Safari\//, 'Safari'],
]
const systems: [RegExp, string][] = [
	[/Android/, 'Android'],
	[/iPhone/, 'iPhone'],
	[/iPad/, 'iPad'],
	[/Windows/, 'Windows'],
	[/CrOS/, 'ChromeOS'],
	[/Mac OS X/, 'Mac'],
	[/Linux/, 'Linux'],
]

/** What a browser calls itself, for people; null when it says nothing that is known. */
export function deviceName(userAgent: string): string | null {
	const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1]
	const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1]
	if (browser && system) return `${browser}, ${system}`
	return browser ?? system ?? null
}
