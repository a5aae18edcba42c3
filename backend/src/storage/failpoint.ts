/**
 * Named places where a test may kill this process: `FAILPOINT=name` or `FAILPOINT=name:3` (the third pass).
 *
 * Promises to do nothing at all without that variable. The death is kill -9: no handler runs. With
 * `FAILPOINT_SIGNAL=SIGSTOP` it is a pause, and goes on when it is woken.
 */

const [, wanted, count = '1'] = /^(.+?)(?::(\d+))?$/.exec(process.env.FAILPOINT ?? '') ?? []
let left = Number(count)

/** Dies here when the environment says so. */
export function failpoint(name: string): void {
	if (wanted !== name || --left > 0) return
	const signal = process.env.FAILPOINT_SIGNAL ?? 'SIGKILL'
	process.kill(process.pid, signal)
	// The signal may be handled a moment later on another thread: go no further.
	if (signal === 'SIGKILL') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
