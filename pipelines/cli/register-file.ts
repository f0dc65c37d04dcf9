import { readFileSync } from 'node:fs'
import { CodecError } from '../../schemas/codec.ts'
import { type RegisterEntry, registerEntryCodec } from '../../schemas/register-entry.ts'
import { usageError } from './errors.ts'
import { faultOf, type KnownProfiles, shippedProfiles } from './register-fields.ts'

export interface RegisterFileOptions {
  /**
   * Decoding profiles that an entry may name: whoever decodes the frames of another one loses them, since their counters are
   * used up. Default: those that ship.
   */
  readonly profiles?: KnownProfiles
}

/**
 * The register as JSON lines, one entry a line. A fault names the line and the field, never its content, which identifies a
 * meter. Throws a usage error.
 */
export function readRegister(path: string, options: RegisterFileOptions = {}): readonly RegisterEntry[] {
  const { profiles = shippedProfiles } = options
  const lines = textOf(path).split('\n')
  const entries = lines.flatMap((line, at) => (line.trim() === '' ? [] : [readEntry(line, at + 1, profiles)]))
  if (entries.length > 0) return entries
  throw usageError('The register file holds no entry.', 'Give it one JSON object a line; docs/operator.md shows one.')
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw usageError(`The register file ${path} does not exist.`, 'Check the path.')
    if (code === 'EISDIR') throw usageError(`The register file ${path} is a folder.`, 'Name a file.')
    throw error
  }
}

function readEntry(line: string, number: number, profiles: KnownProfiles): RegisterEntry {
  const refuse = (problem: string): never => {
    throw usageError(`Line ${number} of the register ${problem}.`, 'Correct it; docs/operator.md lists the fields.')
  }
  let given: RegisterEntry
  try {
    given = JSON.parse(line) as RegisterEntry
  } catch {
    return refuse('is not JSON')
  }
  try {
    const entry = registerEntryCodec.decode(registerEntryCodec.encode(given))
    const extra = Object.keys(given).find((key) => !(key in entry))
    if (extra !== undefined) return refuse(`has a field ${extra}, which no entry has`)
    return profiles === 'any' || profiles.has(entry.profile) ? entry : refuse(faultOf(given, profiles) ?? 'is no entry')
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof TypeError)) throw error
    return refuse(faultOf(given, profiles) ?? 'is no entry')
  }
}

/** Refuses a register that needs more partitions than there are. */
export function checkPartitions(entries: readonly RegisterEntry[], partitions: number): void {
  const needed = entries.reduce((most, { partition }) => Math.max(most, partition), 0) + 1
  if (needed <= partitions) return
  throw usageError(
    `The register places points on ${needed} partitions, but there are ${partitions}.`,
    `Set METERVEIL_PARTITIONS to ${needed} or more.`,
  )
}

/** The time zone of a residency zone: one release domain has one local day. `given` must agree with the register. */
export function timeZoneOf(entries: readonly RegisterEntry[], zone: string, given?: string): string {
  const found = new Set(entries.filter((entry) => entry.zone === zone).map(({ timeZone }) => timeZone))
  const [only] = found
  if (only === undefined) {
    const zones = [...new Set(entries.map((entry) => entry.zone))].join(', ')
    throw usageError(`The register has no meter in zone ${zone}.`, `Set METERVEIL_ZONE to one of: ${zones}.`)
  }
  if (found.size > 1) {
    throw usageError(
      `Zone ${zone} has meters in several time zones.`,
      'Give each local day its own zone in the register.',
    )
  }
  if (given === undefined || given === only) return only
  throw usageError(
    `Zone ${zone} is in ${only} by the register, and in ${given} by METERVEIL_TIME_ZONE.`,
    'Correct METERVEIL_TIME_ZONE, or unset it.',
  )
}
