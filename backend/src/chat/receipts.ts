/**
 * Receipts: what proves, after a restore, that a message had been stored, when, and for whom.
 *
 * An HMAC whose key is a record, so that it travels with every backup. Never kept anywhere but
 * in the writer's browser.
 */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { Receipt } from '../../../protocol/api.ts'
import { systemId } from '../ids.ts'
import type { MessageRecord } from '../storage/collections.ts'
import type { Store } from '../storage/store.ts'

type Proven = Pick<MessageRecord, 'id' | 'author' | 'discussion' | 'group' | 'bodyHash' | 'createdAt'>

export interface Receipts {
	of(message: Proven): Receipt
	/** Whether this server (or the one it was restored from) gave this receipt for such a message. */
	proves(receipt: Receipt, message: Omit<Proven, 'createdAt'>): boolean
}

/** Opens the receipts of a store; makes the key where there is none. */
export async function openReceipts(store: Store): Promise<Receipts> {
	const id = systemId('receipts')
	const { value } =
		(await store.get('system', id)) ??
		(await store.write(
			null,
			async (tx) =>
				(await tx.get('system', id)) ?? tx.put('system', { id, name: 'receipts', value: randomBytes(32).toString('base64url') }),
		))
	const key = createSecretKey(value, 'base64url')
	const of = ({ id, author, discussion, group, bodyHash, createdAt }: Proven): Receipt => ({
		createdAt,
		mac: createHmac('sha256', key).update(`${id} ${author} ${discussion} ${group} ${bodyHash} ${createdAt}`).digest('base64url'),
	})
	return { of, proves: (receipt, message) => of({ ...message, createdAt: receipt.createdAt }).mac === receipt.mac }
}
