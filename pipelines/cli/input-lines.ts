import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { type MeterFrame, type Transport, transports } from '../../schemas/meter-frame.ts'
import { usageError } from './errors.ts'

/** Longer than any transport unit in hex digits; what exceeds it is no frame and is not kept in memory. */
export const maxLineBytes = 256 * 1024
const newline = 0x0a

/** Lines of one read, with the number of the first; `undefined` stands for one that is too long. */
export interface Lines {
  readonly first: number
  readonly lines: readonly (string | undefined)[]
  /** Bytes read so far. */
  readonly bytes: number
}

/** An input that is read once. */
export interface Input {
  /** Size in bytes; `undefined` where it is not known beforehand. */
  readonly size: number | undefined
  /** Ends early, without an error, when the signal aborts. */
  readonly chunks: (signal: AbortSignal) => AsyncIterable<Lines>
}

/** Opens a file, or standard input for `-`. Throws a `CliError` where it names no readable file. */
export async function openInput(path: string): Promise<Input> {
  if (path === '-') return { size: undefined, chunks: (signal) => linesOf(process.stdin, signal) }
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw usageError(`${path} does not exist.`, 'Name a file of frames, or - for standard input.')
  })
  if (found.isDirectory()) throw usageError(`${path} is a folder.`, 'Name a file of frames, or - for standard input.')
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 })
  return { size: found.isFile() ? found.size : undefined, chunks: (signal) => linesOf(stream, signal) }
}

/** Cuts a stream into lines, holding no more than one read and one line. The next read waits until it is asked for. */
export async function* linesOf(stream: Readable, signal?: AbortSignal): AsyncGenerator<Lines> {
  let rest: Buffer[] = []
  let restBytes = 0
  let tooLong = false
  let first = 1
  let bytes = 0
  const keep = (part: Buffer) => {
    tooLong ||= restBytes + part.length > maxLineBytes
    if (tooLong) rest = []
    else rest.push(part)
    restBytes = tooLong ? 0 : restBytes + part.length
  }
  const take = (): string | undefined => {
    const line = tooLong ? undefined : Buffer.concat(rest).toString('utf8')
    rest = []
    restBytes = 0
    tooLong = false
    return line
  }
  for await (const chunk of chunksOf(stream, signal)) {
    bytes += chunk.length
    const lines: (string | undefined)[] = []
    let from = 0
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      keep(chunk.subarray(from, to))
      lines.push(take())
      from = to + 1
    }
    keep(chunk.subarray(from))
    yield { first, lines, bytes }
    first += lines.length
  }
  if (tooLong || restBytes > 0) yield { first, lines: [take()], bytes }
}

/** The reads of a stream. A signal ends even one that waits for a writer who says nothing. */
async function* chunksOf(stream: Readable, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => stream.destroy()
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    yield* stream as AsyncIterable<Buffer>
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

const fields: readonly string[] = ['connection', 'transport', 'hex', 'listener', 'zone']

/** Why a line is no frame. It names a field that frames have and what that may be, never what the line holds. */
export interface NoFrame {
  readonly problem: string
}

const none = (problem: string): NoFrame => ({ problem })

/** The frame that a line holds, or why it is none. An empty line is `empty`. */
export function frameOfLine(line: string | undefined, zone: string): MeterFrame | 'empty' | NoFrame {
  if (line === undefined) return none(`it is longer than ${maxLineBytes.toLocaleString('en-US')} bytes`)
  if (line.trim() === '') return 'empty'
  const given = parsed(line)
  if (given === undefined) return none('it is no JSON object')
  const { connection, transport, hex, listener = 'file', zone: own = zone } = given
  const missing = ['connection', 'transport', 'hex'].filter((field) => given[field] === undefined)
  if (missing.length > 0) return none(`${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`)
  if (Object.keys(given).some((field) => !fields.includes(field))) return none('it has a field that no frame has')
  if (typeof connection !== 'string' || connection === '') return none('connection must be a text')
  if (typeof listener !== 'string') return none('listener must be a text')
  if (typeof own !== 'string') return none('zone must be a text')
  if (!transports.some((known) => known === transport)) return none(`transport must be one of ${transports.join(', ')}`)
  if (typeof hex !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(hex)) return none('hex must be pairs of hex digits')
  const bytes = Buffer.from(hex, 'hex')
  return { connection, listener, zone: own, transport: transport as Transport, forwarded: 0, bytes }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Counted by whoever asked; the parser's own message would quote the line.
    return undefined
  }
}
