import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type Log, LogError, type OutgoingRecord } from '../../connectors/contract.ts'
import { topics } from '../../schemas/topics.ts'
import { openWire } from '../runtime/wire.ts'
import { frameOfLine, type Input } from './input-lines.ts'
import type { Deployment } from './run.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

/** Frames sent but not yet processed at the most; beyond it the input is not read on, so that memory stays bounded. */
const maxInFlight = 20_000
/** Numbers of malformed lines that are told; the others are counted. */
const maxTold = 10

export interface FeedOptions {
  readonly input: Input
  readonly terminal: Terminal
  /** Records that [readings] has processed since it started. */
  readonly processed: () => number
  /** Resolves after the next batch. */
  readonly nextBatch: () => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Appends every frame of an input to `meter.frames`, on the partition that its connection has in the register, and waits
 * until [readings] has processed them. Says at the end what was read; a malformed line is told by its number alone, since its
 * content may identify a meter. Stops early, and says so, when the signal aborts.
 */
export async function feed({ ports, zone, partitionOf }: Deployment, options: FeedOptions): Promise<void> {
  const { input, terminal, processed, nextBatch, signal } = options
  const { log } = ports
  const wire = await openWire(ports.registry, [topics.meterFrames])
  const progress = terminal.progress({ label: 'input', unit: 'bytes', ...(input.size ? { total: input.size } : {}) })
  const malformed = { count: 0, first: [] as Malformed[] }
  let frames = 0
  let read = 0
  for await (const { first, lines, bytes } of input.chunks(signal)) {
    const records: OutgoingRecord[] = []
    lines.forEach((line, at) => {
      const frame = frameOfLine(line, zone)
      if (frame === 'empty') return
      if ('problem' in frame) {
        if (++malformed.count <= maxTold) malformed.first.push({ line: first + at, problem: frame.problem })
        return
      }
      const partition = partitionOf(frame.connection)
      records.push({
        topic: topics.meterFrames.name,
        partition,
        key: null,
        value: wire.encode(topics.meterFrames, frame),
      })
    })
    if (records.length > 0 && !(await appendOnceThereIsRoom(log, records, options))) break
    frames += records.length
    read += lines.length
    progress.at(bytes, framesOf(frames))
    await nextTurn()
    while (frames - processed() > maxInFlight && !signal.aborted) await nextBatch()
    if (signal.aborted) break
  }
  const complete = !signal.aborted
  if (complete) while (!(await caughtUp(log)) && !signal.aborted) await nextBatch()
  progress.end(framesOf(frames))
  terminal.record({
    kind: 'input',
    complete,
    lines: read,
    frames,
    malformed: malformed.count,
    malformedLines: malformed.first.map(({ line }) => line),
    malformedWhy: malformed.first.map(({ problem }) => problem),
  })
  terminal.line(
    complete
      ? `Input read: ${framesOf(frames)} from ${count(read)} ${read === 1 ? 'line' : 'lines'}, all processed.`
      : `Interrupted after ${framesOf(frames)} of the input; run again with the same input, what was read is not taken twice.`,
  )
  if (malformed.count > 0) terminal.note(malformedText(malformed))
}

interface Malformed {
  readonly line: number
  readonly problem: string
}

const framesOf = (frames: number): string => `${count(frames)} ${frames === 1 ? 'frame' : 'frames'}`

/** Lines with the same problem in a row are told together: `lines 1, 2 (it is no JSON object)`. */
function malformedText({
  count: many,
  first,
}: {
  readonly count: number
  readonly first: readonly Malformed[]
}): string {
  const runs: { lines: string[]; problem: string }[] = []
  for (const { line, problem } of first) {
    const last = runs.at(-1)
    if (last?.problem === problem) last.lines.push(count(line))
    else runs.push({ lines: [count(line)], problem })
  }
  const told = runs.map(
    ({ lines, problem }) => `${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')} (${problem})`,
  )
  const more = many > first.length ? ` and ${count(many - first.length)} more` : ''
  return [
    many === 1 ? '1 line was no frame and was left out: ' : `${count(many)} lines were no frames and were left out: `,
    `${told.join('; ')}${more}. `,
    'A line is {"connection", "transport", "hex"}, with listener and zone if you like.',
  ].join('')
}

const untilNextTryMs = 1_000

/** Appends, where there is no room not before there is some; a refused append has left nothing behind. False if aborted. */
async function appendOnceThereIsRoom(
  log: Log,
  records: readonly OutgoingRecord[],
  { terminal, signal }: Pick<FeedOptions, 'terminal' | 'signal'>,
): Promise<boolean> {
  for (let told = false; !signal.aborted; ) {
    try {
      await log.append(records)
      return true
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'disk_full')) throw error
      if (!told) terminal.note(`The input is not read on: ${error.message}`)
      told = true
      await sleep(untilNextTryMs, undefined, { signal }).catch(() => {})
    }
  }
  return false
}

/** Whether [readings] has processed everything that lies in its input. */
async function caughtUp(log: Log): Promise<boolean> {
  const { name } = topics.meterFrames
  for (let partition = 0; partition < (await log.partitions(name)); partition++) {
    const { end } = await log.bounds(name, partition, 'read_committed')
    if (end > 0n && ((await log.committed('readings', name, partition)) ?? 0n) < end) return false
  }
  return true
}
