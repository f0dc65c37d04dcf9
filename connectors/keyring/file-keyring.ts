import { createSecretKey, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Keyring, MeterKeys } from '../../operators/contract/keyring.ts'
import { redactedKeyring } from './redacted-keyring.ts'
import { KeyringError, readSecretFile } from './secret-file.ts'

const masterFile = 'master.key'
const metersFile = 'meters.jsonl'
const masterBytes = 32
const newline = 0x0a

/**
 * The keyring of a folder with two files, both of mode 0600 (or 0400) and owned by the user of the process:
 * - `master.key`: 32 bytes, raw or as 64 hex digits, from which pseudonym, digest and dead-letter keys are derived;
 * - `meters.jsonl`: per line `{"ref": …, "encryption": hex, "authentication": hex}`, keys of 16 or 32 bytes,
 *   `authentication` absent where a meter has none.
 * Read once. Throws `KeyringError` with one sentence that says what to do; it names a file and a line, never their
 * content, and the folder only where that does not exist.
 */
export function fileKeyring(folder: string): Keyring {
  if (!existsSync(folder)) {
    throw new KeyringError(
      `the key folder ${folder} does not exist: make it with ${masterFile} and ${metersFile} in it, or name another one in keyringFolder (METERVEIL_KEYRING_FOLDER)`,
    )
  }
  const master = readSecretFile(
    join(folder, masterFile),
    `make it with openssl rand -hex 32 > ${masterFile} and chmod 600 ${masterFile}`,
  )
  const meters = readSecretFile(
    join(folder, metersFile),
    'make it with one line {"ref", "encryption", "authentication"} per meter, and chmod 600 it',
  )
  try {
    return redactedKeyring(masterKey(master), meterKeys(meters))
  } finally {
    master.fill(0)
    meters.fill(0)
  }
}

function masterKey(file: Buffer): KeyObject {
  if (file.length === masterBytes) return createSecretKey(file)
  const key = hexKey(file.toString('latin1').trim(), [masterBytes])
  if (key === undefined) {
    throw new KeyringError(`${masterFile} holds no key: give it 32 bytes, or 64 hex digits (openssl rand -hex 32)`)
  }
  return key
}

function meterKeys(file: Buffer): ReadonlyMap<string, MeterKeys> {
  const keys = new Map<string, MeterKeys>()
  let line = 0
  for (let from = 0; from < file.length; ) {
    const found = file.indexOf(newline, from)
    const to = found < 0 ? file.length : found
    line += 1
    const text = file.toString('utf8', from, to).trim()
    from = to + 1
    if (text === '') continue
    const { ref, ...meter } = parseLine(text, line)
    if (keys.has(ref)) refuseLine(line, 'repeats the ref of an earlier line: keep one of them')
    keys.set(ref, meter)
  }
  return keys
}

const fields: readonly string[] = ['ref', 'encryption', 'authentication']

function parseLine(text: string, line: number): MeterKeys & { readonly ref: string } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // the parser's own message would quote the line
    return refuseLine(line, 'is not JSON: write {"ref", "encryption", "authentication"}')
  }
  if (typeof json !== 'object' || json === null || Object.keys(json).some((key) => !fields.includes(key))) {
    return refuseLine(line, 'must be an object with ref, encryption and authentication only')
  }
  const { ref, encryption, authentication } = json as Record<string, unknown>
  if (typeof ref !== 'string' || ref === '') return refuseLine(line, 'has no ref: name the meter as the register does')
  const encryptionKey = hexKey(encryption)
  if (encryptionKey === undefined) return refuseLine(line, 'needs an encryption key of 32 or 64 hex digits')
  if (authentication === undefined || authentication === null) {
    return { ref, encryption: encryptionKey, authentication: undefined }
  }
  const authenticationKey = hexKey(authentication)
  if (authenticationKey === undefined) return refuseLine(line, 'needs an authentication key of 32 or 64 hex digits')
  return { ref, encryption: encryptionKey, authentication: authenticationKey }
}

function hexKey(text: unknown, sizes: readonly number[] = [16, 32]): KeyObject | undefined {
  if (typeof text !== 'string' || !sizes.includes(text.length / 2) || !/^[0-9a-f]*$/i.test(text)) return undefined
  const bytes = Buffer.from(text, 'hex')
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

function refuseLine(line: number, problem: string): never {
  throw new KeyringError(`line ${line} of ${metersFile} ${problem}`)
}
