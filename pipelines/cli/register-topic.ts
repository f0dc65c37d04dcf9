import type { Log, OutgoingRecord, SchemaRegistry } from '../../connectors/contract.ts'
import { checkReload } from '../../connectors/register/check-households.ts'
import { registerView } from '../../connectors/register/index.ts'
import { compareRegister, type RegisterChanges, readRegisterRows } from '../../connectors/register/register-log.ts'
import { days } from '../../operators/contract/clock.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { rebuildDays, restrictedDays, topics } from '../../schemas/topics.ts'
import type { TellingOptions } from '../attributes.ts'
import type { AnyTopic } from '../runtime/stream.ts'
import { labelHeader } from '../runtime/task.ts'
import { openWire, type Wire } from '../runtime/wire.ts'
import { CliError, usageError } from './errors.ts'
import { mayRetell, retoldHomes } from './register-retold.ts'

const topic = topics.meterRegister as AnyTopic
const keyOf = (entry: RegisterEntry): string => topics.meterRegister.key(entry) ?? ''
const rowsOf = (log: Log, wire: Wire) =>
  readRegisterRows(log, { name: topic.name, decode: (value) => wire.decode(topic, value) as RegisterEntry })

/** Every entry of the topic meter.register, which one writer fills. */
export async function readRegisterTopic(log: Log, registry: SchemaRegistry): Promise<readonly RegisterEntry[]> {
  return [...(await rowsOf(log, await openWire(registry, [topic]))).values()]
}

export interface LoadOptions {
  readonly horizonDays: number
  /** Take entries out that the new register does not hold and whose meter is long gone. */
  readonly remove: boolean
  /** Compare only. */
  readonly dryRun: boolean
  readonly now: number
  /** Hour of the next day, local time, from which a value has no public use: that of the release policy. Default 6. */
  readonly cutOffHour?: number
  /** How attributes are told: then no home may be told anew of a month that has begun. Default: they are not told. */
  readonly telling?: TellingOptions | undefined
  /** Go on where homes would be told anew. Default false. */
  readonly retell?: boolean
}

/** What a load changes, and how many homes it lets be told anew in months that have begun. */
export interface LoadedChanges extends RegisterChanges {
  readonly retold: number
}

/** There is one writer of the register: its transactional id fences a load that is still under way elsewhere. */
const writer = 'register-meter.register-0'
const transactionMs = 120_000
const perSend = 5_000

/**
 * Makes the topic hold these entries, all or nothing, and tells what it changed. A second time changes nothing. Throws
 * `RegisterError` for entries that contradict each other or what is there, `CliError` for rows that would vanish.
 */
export async function loadRegister(
  log: Log,
  registry: SchemaRegistry,
  entries: readonly RegisterEntry[],
  options: LoadOptions,
): Promise<LoadedChanges> {
  const { cutOffHour = 6 } = options
  registerView(entries, { cutOffHour })
  const wire = await openWire(registry, [topic])
  if (options.dryRun) return compared(await rowsOf(log, wire), entries, options)
  const transactor = await log.open(writer, { timeoutMs: transactionMs })
  try {
    const changes = compared(await rowsOf(log, wire), entries, options)
    const records = [
      ...[...changes.added, ...changes.changed].map((entry) => ({
        key: keyOf(entry),
        value: wire.encode(topic, entry),
      })),
      ...changes.removed.map(([key]) => ({ key, value: null })),
    ]
    if (records.length === 0) return changes
    await transactor.begin()
    for (let at = 0; at < records.length; at += perSend) {
      await transactor.send(
        records.slice(at, at + perSend).map(
          ({ key, value }): OutgoingRecord => ({
            topic: topic.name,
            partition: 0,
            key: Buffer.from(key),
            value,
            headers: { [labelHeader]: topic.label },
          }),
        ),
      )
    }
    await transactor.commit()
    return changes
  } finally {
    await transactor.close()
  }
}

function compared(
  present: ReadonlyMap<string, RegisterEntry>,
  entries: readonly RegisterEntry[],
  options: LoadOptions,
): LoadedChanges {
  const { remove, horizonDays, now, cutOffHour = 6 } = options
  const changes = compareRegister(present, entries, keyOf)
  checkReload(present, entries, keyOf, { now, cutOffHour })
  const { removed } = changes
  if (removed.length > 0 && !remove) {
    throw new CliError(
      `The file lacks ${removed.length} of the entries that the topic holds.`,
      'Put them back, with validTo where the meter is gone, or add --remove for those that are long gone.',
    )
  }
  // What was accepted from a place is remembered for a time: a new point there would meet it as its own. And while sums that a
  // home was in can be read, those without it are held against them, for which it must be known that the home left.
  const keptDays = Math.max(horizonDays, restrictedDays) + rebuildDays
  const early = removed.filter(([, { validTo }]) => validTo === null || validTo > now - days(keptDays)).length
  if (early > 0) {
    throw new CliError(
      `${early} of the entries to remove ended less than ${keptDays} days ago, or not at all.`,
      'Keep them for so long: load.restricted must not show what few homes that left make of a sum.',
    )
  }
  // The rest of a point would seem to have joined when the next entry begins.
  const staying = new Set(entries.map(({ point }) => point))
  const cut = removed.filter(([, { point }]) => staying.has(point)).length
  if (cut > 0) {
    throw new CliError(
      `${cut} of the entries to remove are of measuring points that have others, which stay.`,
      'Keep them: only points that are gone altogether can be removed.',
    )
  }
  return { ...changes, retold: retoldBy(present, entries, changes, options) }
}

function retoldBy(
  present: ReadonlyMap<string, RegisterEntry>,
  entries: readonly RegisterEntry[],
  changes: RegisterChanges,
  { telling, retell = false, dryRun, now, horizonDays }: LoadOptions,
): number {
  if (!telling || present.size === 0 || !mayRetell(present, changes, keyOf, { timeZone: telling.timeZone, now }))
    return 0
  const retold = retoldHomes([...present.values()], entries, { telling, now, horizonDays })
  if (retold === 0 || retell || dryRun) return retold
  throw usageError(
    `${retold === 1 ? '1 home' : `${retold} homes`} would be told anew in months that have begun.`,
    'Date the change from now on (end the entry, and add one), or add --retell.',
  )
}
