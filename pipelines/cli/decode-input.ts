import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { readSecretFile } from '../../connectors/keyring/secret-file.ts'
import type { FrameRecord } from '../../operators/decode-dlms/expect.ts'
import { usageError } from './errors.ts'

export const frameTransports = ['hdlc', 'hdlc-segmented', 'hdlc+gbt', 'mbus', 'wrapper', 'llc', 'apdu', 'axdr'] as const

/** Larger files are no captures of single meters. */
const maxFileBytes = 64 * 1024 * 1024

export interface DecodeInputOptions {
  readonly transport?: (typeof frameTransports)[number]
  /** Files that hold a key, or a system title, as hex digits; mode 0600. */
  readonly key?: string
  readonly authKey?: string
  readonly title?: string
}

/**
 * The frames that the argument of `decode` names: hex digits, or a file that holds hex digits, raw bytes, or records in the
 * form of a frame file (a JSON array, one object, or JSON lines). Keys come from files or records, never from the command
 * line, where every user of the machine could read them.
 */
export function frameRecords(argument: string, options: DecodeInputOptions): readonly FrameRecord[] {
  const given = {
    ...(options.key ? { key: secretHex(options.key, [16, 32]) } : {}),
    ...(options.authKey ? { authKey: secretHex(options.authKey, [16, 32]) } : {}),
    ...(options.title ? { systemTitle: secretHex(options.title, [8]) } : {}),
  }
  const one = (id: string, hex: string): FrameRecord => ({
    id,
    transport: options.transport ?? guessTransport(hex),
    hex,
    ...given,
  })
  const compact = argument.replaceAll(/[\s:]/g, '')
  if (!isFile(argument)) {
    if (isHex(compact)) return [one('argument', compact)]
    throw usageError(
      `${argument} is neither a file nor an even number of hex digits.`,
      'Give a frame as hex digits, or the path of a file that holds one.',
    )
  }
  const { size } = statSync(argument)
  if (size > maxFileBytes) throw usageError(`${argument} is larger than 64 MiB.`, 'Split it and decode the parts.')
  const bytes = readFileSync(argument)
  const text = bytes.toString('utf8').trim()
  const name = basename(argument)
  if (text.startsWith('[') || text.startsWith('{')) {
    return parseRecords(text, name).map((record, at) => ({ ...checked(record, `${name}[${at}]`), ...given }))
  }
  const hex = text.replaceAll(/[\s:]/g, '')
  if (hex === '') throw usageError(`${argument} is empty.`, 'Give a file that holds a frame.')
  return [one(name, isHex(hex) ? hex : bytes.toString('hex'))]
}

const isHex = (text: string) => text.length > 0 && text.length % 2 === 0 && /^[0-9a-f]+$/i.test(text)

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    // A frame in hex digits is no path either: it may be too long for one.
    return false
  }
}

function parseRecords(text: string, name: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : [value]
  } catch {
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line, at) => {
        try {
          return JSON.parse(line) as unknown
        } catch {
          // The parser's own message would quote the line, and a line may hold keys.
          throw usageError(`Line ${at + 1} of ${name} is not JSON.`, 'Give a JSON array of records, or one a line.')
        }
      })
  }
}

function checked(record: unknown, where: string): FrameRecord {
  const refuse = (problem: string): never => {
    throw usageError(
      `${where} ${problem}.`,
      'A record needs id, transport and hex; key, authKey and systemTitle are optional.',
    )
  }
  if (typeof record !== 'object' || record === null) return refuse('is no object')
  const { id = where, transport, hex, key, authKey, systemTitle } = record as Record<string, unknown>
  if (typeof id !== 'string') return refuse('has an id that is no text')
  if (typeof hex !== 'string' || !isHex(hex)) return refuse('has no hex digits under hex')
  if (!frameTransports.some((known) => known === transport)) {
    return refuse(`has a transport other than ${frameTransports.join(', ')}`)
  }
  for (const [name, value] of Object.entries({ key, authKey, systemTitle })) {
    if (value !== undefined && value !== null && !(typeof value === 'string' && isHex(value))) {
      return refuse(`has a ${name} that is no hex`)
    }
  }
  return { id, transport: transport as string, hex, ...texts({ key, authKey, systemTitle }) }
}

const texts = (values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'string')) as Record<string, string>

function secretHex(path: string, lengths: readonly number[]): string {
  if (isHex(path) && !isFile(path)) {
    // Not repeated in the message: it is a key, and now stands in the shell's history.
    throw usageError(
      'A key is read from a file, never from the command line, where every user of the machine can see it.',
      'Write it into a file of mode 0600 and name the file; take this key out of use if it is a real one.',
    )
  }
  const bytes = readSecretFile(path, 'name a file that holds the key as hex digits')
  const text = bytes.toString('latin1').replaceAll(/\s/g, '')
  bytes.fill(0)
  if (isHex(text) && lengths.includes(text.length / 2)) return text
  throw usageError(
    `${basename(path)} does not hold ${lengths.map((length) => length * 2).join(' or ')} hex digits.`,
    'Write the key as hex digits and nothing else.',
  )
}

/** By the first bytes: no two link layers begin alike, and whatever begins like none of them is a bare APDU. */
function guessTransport(hex: string): (typeof frameTransports)[number] {
  const start = hex.toLowerCase()
  if (start.startsWith('7e')) return 'hdlc'
  if (/^68(..)\1?..?68/.test(start) && start.slice(6, 8) === '68') return 'mbus'
  if (start.startsWith('0001')) return 'wrapper'
  return start.startsWith('e6e700') || start.startsWith('e6e600') ? 'llc' : 'apdu'
}
