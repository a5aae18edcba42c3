/**
 * A first-in, first-out queue with constant cost, also at its front.
 *
 * Promises the order of pushes; `unshift` puts back what was taken. Never shrinks an array item by item.
 */

export class Queue<T> {
	#front: T[] = []
	#back: T[] = []

	get size(): number {
		return this.#front.length + this.#back.length
	}

	push(item: T): void {
		this.#back.push(item)
	}

	/** Undefined when it is empty. */
	shift(): T | undefined {
		if (this.#front.length === 0) {
			this.#front = this.#back.reverse()
			this.#back = []
		}
		return this.#front.pop()
	}

	/** Those that are next, at most so many. */
	first(limit: number): T[] {
		const front = this.#front.slice(-limit).reverse()
		return front.length < limit ? front.concat(this.#back.slice(0, limit - front.length)) : front
	}

	unshift(item: T): void {
		this.#front.push(item)
	}

	/** Takes out, in order, all that are wanted. */
	takeWhere(wanted: (item: T) => boolean): T[] {
		const all = [...this.#front.reverse(), ...this.#back]
		this.#front = []
		this.#back = all.filter((item) => !wanted(item))
		return all.filter(wanted)
	}
}
