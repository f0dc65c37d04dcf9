import type { Keyring } from '../../operators/contract/keyring.ts'
import type { RejectedFrame } from '../../schemas/rejected-frame.ts'
import { openDeadLetter } from '../runtime/index.ts'
import type { OpenedLetters } from './rejected-open.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

/** Nonce and tag of AES-GCM. */
const sealBytes = 28

export interface ShowRejected {
  readonly reason?: string
  readonly last: number
  readonly showValues?: boolean
}

/**
 * `meterveil rejected show`: refusals counted by reason, and the newest of them. Without `showValues` no key is needed and
 * nothing is printed that could identify a meter.
 */
export async function showRejected(
  { letters, frameOf, keyring: openKeyring }: OpenedLetters,
  terminal: Terminal,
  { reason, last, showValues = false }: ShowRejected,
): Promise<void> {
  const keyring = showValues ? openKeyring() : undefined
  const counts = new Map<string, { kind: RejectedFrame['kind']; many: number }>()
  let newest: RejectedFrame[] = []
  for await (const letter of letters()) {
    if (reason !== undefined && letter.reason !== reason) continue
    const counted = counts.get(letter.reason) ?? { kind: letter.kind, many: 0 }
    counted.many += 1
    counts.set(letter.reason, counted)
    newest.push(letter)
    if (newest.length > 2 * last + 1_000) newest = newestOf(newest, last)
  }
  const byCount = [...counts].sort(([, a], [, b]) => b.many - a.many)
  for (const [name, { kind, many }] of byCount)
    terminal.record({ kind: 'reason', reason: name, outcome: kind, letters: many })
  if (counts.size === 0) return terminal.line('Nothing was refused.')
  terminal.table(
    [{ head: 'reason', align: 'left' }, { head: 'outcome', align: 'left' }, 'letters'],
    byCount.map(([name, { kind, many }]) => [name, kind, count(many)]),
  )
  if (last === 0) return
  terminal.title('The newest')
  for (const letter of newestOf(newest, last)) showOne(terminal, letter, keyring, frameOf)
  if (!showValues)
    terminal.line(
      terminal.paint.dim('Withheld: connection and bytes, which identify a meter. --show-values shows them.'),
    )
}

const newestOf = (letters: readonly RejectedFrame[], last: number): RejectedFrame[] =>
  last === 0 ? [] : letters.toSorted((a, b) => a.receivedAt - b.receivedAt).slice(-last)

function showOne(
  terminal: Terminal,
  letter: RejectedFrame,
  keyring: Keyring | undefined,
  frameOf: OpenedLetters['frameOf'],
): void {
  const { kind, reason, stage, byteOffset, topic, partition, offset, receivedAt, sealed, fullLength, lastOffset } =
    letter
  const bytes = fullLength ?? sealed.length - sealBytes
  const place = { outcome: kind, reason, stage, byteOffset, topic, partition, offset, lastOffset, receivedAt, bytes }
  const values = keyring && valuesOf(letter, keyring, frameOf)
  terminal.record({ kind: 'letter', ...place, ...values })
  const at = byteOffset === null ? '' : ` byte ${byteOffset}`
  const when = new Date(receivedAt).toISOString()
  const offsets = lastOffset === null ? `offset ${offset}` : `offsets ${offset} to ${lastOffset}`
  terminal.line(`${when}  ${reason} at ${stage}${at}, ${topic}[${partition}] ${offsets}, ${count(bytes)} bytes`)
  for (const [name, value] of Object.entries(values ?? {})) terminal.line(`  ${name}: ${value}`)
}

/** What a letter holds: a frame, or bytes that are none. */
function valuesOf(
  letter: RejectedFrame,
  keyring: Keyring,
  frameOf: OpenedLetters['frameOf'],
): Readonly<Record<string, string | number>> {
  const opened = opening(keyring, letter)
  if (!opened) return { sealed: 'with another key' }
  const { bytes, cutFrom } = opened
  if (cutFrom) return { first: hex(bytes), sha256: hex(cutFrom.sha256) }
  const frame = frameOf(bytes)
  if (!frame) return { raw: hex(bytes) }
  const { connection, listener, zone, transport, forwarded } = frame
  return { connection, listener, zone, transport, forwarded, hex: hex(frame.bytes) }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Opens a letter; undefined where it was sealed with another key, or altered. */
export function opening(keyring: Keyring, letter: RejectedFrame): ReturnType<typeof openDeadLetter> | undefined {
  try {
    return openDeadLetter(keyring, letter)
  } catch (error) {
    if (error instanceof Error && error.name === 'HaltError') throw error
    return undefined
  }
}
