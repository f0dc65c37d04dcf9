import { createHash } from 'node:crypto'
import { topics } from '../../schemas/topics.ts'
import { CliError } from './errors.ts'
import type { OpenedLetters } from './rejected-open.ts'
import { opening } from './rejected-show.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

const perSend = 200

export interface ReplayRejected {
  readonly reason: string
  readonly dryRun?: boolean
}

/**
 * `meterveil rejected replay`: appends each frame that was refused for a reason to `meter.frames` once more, to be received
 * anew. An interval that was accepted counts once however often its frame is replayed. Rejects with `CliError` where letters
 * were sealed with another key, after the others were sent.
 */
export async function replayRejected(
  { letters, frameOf, encodeFrame, send, keyring: openKeyring }: OpenedLetters,
  terminal: Terminal,
  { reason, dryRun = false }: ReplayRejected,
): Promise<void> {
  const keyring = openKeyring()
  const tally = { frames: 0, repeated: 0, cut: 0, unopened: 0 }
  // A replay that is refused leaves another letter of the same frame: without this every replay would double them.
  const seen = new Set<string>()
  let values: { readonly partition: number; readonly value: Uint8Array }[] = []
  const flush = async () => {
    if (!dryRun && values.length > 0) await send(values)
    tally.frames += values.length
    values = []
  }
  for await (const letter of letters()) {
    if (letter.kind !== 'rejected' || letter.reason !== reason || letter.topic !== topics.meterFrames.name) continue
    const opened = opening(keyring, letter)
    if (!opened) tally.unopened += 1
    else if (opened.cutFrom || opened.bytes.length === 0 || letter.lastOffset !== null) tally.cut += 1
    else {
      const frame = frameOf(opened.bytes)
      // Received anew, it may be passed on anew to the partition that owns its meter now.
      const value = frame ? encodeFrame({ ...frame, forwarded: 0 }) : opened.bytes
      const digest = createHash('sha256').update(value).digest('base64')
      if (seen.has(digest)) tally.repeated += 1
      else values.push({ partition: letter.partition, value })
      seen.add(digest)
    }
    if (values.length >= perSend) await flush()
  }
  await flush()
  terminal.record({ kind: dryRun ? 'planned' : 'replayed', reason, ...tally })
  terminal.line(
    `${dryRun ? 'Would be sent' : 'Sent'} to meter.frames: ${count(tally.frames)} frames that were refused as ${reason}.`,
  )
  if (tally.repeated > 0) terminal.line(`${count(tally.repeated)} more letters hold one of the same frames.`)
  if (tally.cut > 0) {
    terminal.note(
      `${count(tally.cut)} letters hold only the beginning of what was refused, none of it, or a whole batch, and cannot be replayed.`,
    )
  }
  if (tally.unopened > 0) {
    throw new CliError(
      `${count(tally.unopened)} letters cannot be opened with this key ring.`,
      'Name the folder whose master.key was in use when they were refused in keyringFolder.',
    )
  }
}
