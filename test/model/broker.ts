/**
 * Kafka as far as the protocol can tell: partitions, transactions by transactional id and epoch, a last stable offset.
 * As without KIP-890, a request carries its producer's epoch but not its transaction: one that arrives late acts on
 * whatever transaction of that epoch is open then.
 */
export interface Transaction {
  state: 'open' | 'committed' | 'aborted'
  /** What commits with it: the group's position per partition. */
  offset: number | undefined
}

export interface Entry<T> {
  readonly body: T
  readonly transaction: Transaction | undefined
}

export interface Producer {
  epoch: number
  open: Transaction | undefined
}

/** Thrown by calls of an owner whose epoch is over. */
export const fenced = new Error('fenced')

/** Entries that read_committed shows from `from` on, up to the last stable offset, with their positions. */
export function committed<T>(log: readonly Entry<T>[], from = 0): { readonly at: number; readonly body: T }[] {
  const seen: { at: number; body: T }[] = []
  for (let at = from; at < log.length; at++) {
    const { body, transaction } = log[at]!
    if (transaction?.state === 'open') break
    if (transaction?.state !== 'aborted') seen.push({ at, body })
  }
  return seen
}

/** Position after the last entry that is settled. */
export function stableEnd(log: readonly Entry<unknown>[]): number {
  const open = log.findIndex(({ transaction }) => transaction?.state === 'open')
  return open < 0 ? log.length : open
}

/** Fences older owners and aborts what they left open. */
export function openProducer(producer: Producer): number {
  producer.epoch += 1
  if (producer.open) producer.open.state = 'aborted'
  producer.open = undefined
  return producer.epoch
}

function current(producer: Producer, epoch: number): Transaction {
  if (producer.epoch !== epoch) throw fenced
  producer.open ??= { state: 'open', offset: undefined }
  return producer.open
}

export function send<T>(producer: Producer, epoch: number, log: Entry<T>[], bodies: readonly T[]): void {
  const transaction = current(producer, epoch)
  for (const body of bodies) log.push({ body, transaction })
}

export function sendOffset(producer: Producer, epoch: number, next: number): void {
  current(producer, epoch).offset = next
}

/** Ends the open transaction; without one it is the repetition of an end that was answered already. */
export function end(producer: Producer, epoch: number, outcome: 'committed' | 'aborted'): number | undefined {
  if (producer.epoch !== epoch) throw fenced
  const transaction = producer.open
  producer.open = undefined
  if (!transaction) return undefined
  transaction.state = outcome
  return outcome === 'committed' ? transaction.offset : undefined
}
