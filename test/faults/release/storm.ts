import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Rational } from 'diffprivlib-ts'
import type { Log } from '../../../connectors/contract.ts'
import { type Fault, faultyLog } from '../../../connectors/memory/faults.ts'
import { hours, minutes } from '../../../operators/contract/clock.ts'
import type { GroupSelector } from '../../../operators/privacy/release/noise.ts'
import type { ReleasePolicy } from '../../../operators/privacy/release/policy.ts'
import type { ReleaseTotalsOptions } from '../../../operators/privacy/release-totals.ts'
import { type LoadOptions, load } from '../../../pipelines/load.ts'
import { publish } from '../../../pipelines/publish.ts'
import { Killed, type Pipeline } from '../../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import { topics } from '../../../schemas/topics.ts'
import { domain, registerOf, releaseOptions, testKeyring } from '../../helpers/release-fixtures.ts'
import {
  interleave,
  type JournalEntry,
  journalGroups,
  journalPolicy,
  partialsOf,
} from '../../helpers/release-journal.ts'
import { selecting } from '../../helpers/selection-fixtures.ts'
import { type Random, random } from '../../model/random.ts'
import { judge } from './judge.ts'
import { type Owner, startOwner } from './owner.ts'
import { restoreSomething } from './restores.ts'
import { goOn, middayOf, watchedSelector } from './selects.ts'
import { openStage, type Snapshot, type Stage, stageStart } from './stage.ts'

/** What may be wrong with a release, planted; nothing by default. */
export interface Plant {
  readonly load?: (options: LoadOptions) => Pipeline
  readonly publish?: (options: Parameters<typeof publish>[0]) => Pipeline
  /** Wraps the log of every owner, above the faults. */
  readonly log?: (log: Log, stage: Stage) => Log
  /** Leaves out what is kept outside the log. */
  readonly unpinned?: true
  /** Groups are selected in every storm. Default: in every third. */
  readonly selects?: true
}

export interface StormResult {
  readonly violations: readonly string[]
  /** Faults that struck, by kind. */
  readonly faults: ReadonlyMap<string, number>
}

/** A running storm, as what befalls it sees it. */
export interface Storm {
  readonly stage: Stage
  readonly random: Random
  readonly violations: string[]
  /** Ledgers that were lost for good. */
  readonly lost: (readonly LedgerRecord[])[]
  /** Copies of load.public were lost for good: they need not be there at the end. */
  publicLost: boolean
  snapshots: Snapshot[]
  /** Ends every owner at once, as a stop of all machines does. */
  readonly killAll: () => void
  readonly launchMissing: () => void
  readonly rest: () => Promise<void>
  /** Whether the present owner of a pipeline ended with an error. */
  readonly failed: (role: string) => boolean
  readonly count: (kind: string) => void
}

/** Turns of the event loop in which everything must have come to rest. */
const patience = 1_000

/** The last moment of the first local day. */
const stageEnd = stageStart + hours(24) - 1

const roles = ['load', 'publish'] as const

/**
 * One day of releases through the pipelines [load] and [publish] of the runtime, over the log in memory, while everything
 * befalls them that one seed chooses: processes killed at any step, calls and answers lost, owners overtaken who wake up
 * later, offsets moved, topics set back to older moments. Every third seed selects groups, and goes on until the third day. Then calm, in which everything must be sealed and published; then
 * the judge.
 */
export async function storm(seed: number, plant: Plant = {}): Promise<StormResult> {
  const stage = await openStage()
  const dice = random(seed)
  const faults = new Map<string, number>()
  const violations: string[] = []
  const draws = new Map<bigint, Rational>()
  const selects = plant.selects ?? seed % 3 === 0
  let calm = false
  let movement = 0
  const count = (kind: string): void => void faults.set(kind, (faults.get(kind) ?? 0) + 1)
  const strike = ({ pipeline, step, at }: { pipeline: string; step: string; at: string }): void => {
    if (calm || !dice.chance(step === 'draw' ? 0.01 : 0.05)) return
    count(`killed: ${pipeline}, ${at} ${step}`)
    throw new Killed(`${at} ${step}`)
  }

  let journal: readonly JournalEntry[] = []
  const policy = selects ? selecting({ windowSeconds: 3_600 }) : journalPolicy
  const select = watchedSelector({ stage, random: dice, strike, violations, journal: () => journal })

  const owners = new Map<string, Owner>()
  const asleep: Owner[] = []
  const pipelines = pipelinesOf({ stage, plant, draws, strike, violations, policy, select })
  const start = (role: (typeof roles)[number]): void => {
    const before = owners.get(role)
    if (before) before.current = false
    const ports = stage.ports()
    const faulty = faultyLog(ports.log, ({ method }) => (calm ? undefined : faultOf(dice, method, count)), stage.clock)
    const log = plant.log?.(faulty, stage) ?? faulty
    const owner = startOwner({
      pipeline: pipelines[role],
      ports: { ...ports, log },
      wire: stage.wire,
      probe: strike,
      moved: () => {
        movement++
      },
      // While it sleeps, another takes over; it wakes up at some later step and goes on with what it was about to do.
      froze: (frozen) => {
        count(`overtaken: ${role}`)
        asleep.push(frozen)
        start(role)
      },
      ended: (ended) => {
        movement++
        if (ended.state === 'killed' && owners.get(role) === ended) start(role)
      },
    })
    owners.set(role, owner)
  }
  const running: Storm = {
    stage,
    random: dice,
    violations,
    lost: [],
    publicLost: false,
    snapshots: [],
    count,
    killAll: () => {
      for (const owner of [...owners.values(), ...asleep.splice(0)]) owner.kill()
      owners.clear()
    },
    launchMissing: () => {
      for (const role of roles) if (!owners.has(role)) start(role)
    },
    // Every wait is for the clock or for one turn of the loop: what two turns do not move, rests.
    rest: async () => {
      for (let still = 0, seen = -1, turns = 0; still < 2; still = seen === movement ? still + 1 : 0) {
        seen = movement
        if (turns++ > patience) {
          violations.push('stuck: it never comes to rest')
          return running.killAll()
        }
        await nextTurn()
        await nextTurn()
      }
    },
    failed: (role) => owners.get(role)?.state === 'failed',
  }

  running.launchMissing()
  journal = [...randomJournal(dice), ...(selects ? middayOf(dice) : [])]
  const sizes = [1, 1 + dice.below(3), 1 + dice.below(3)]
  const streams = begunLate(partialsOf(journal, sizes))
  const partials = interleave(selects ? streams.map(goOn) : streams, [0, 1, 0, 0, 1])
  for (let at = 0; at < partials.length; ) {
    const batch = partials.slice(at, at + 1 + dice.below(2))
    at += batch.length
    await stage.append(
      batch.map((value) => ({
        topic: topics.loadPartials.name,
        partition: 0,
        key: null,
        value: stage.wire.encode(topics.loadPartials as AnyTopic, value),
      })),
    )
    // Progress is often far ahead of the clock here; ticks come when it follows.
    stage.clock.moveTo(Math.max(stage.clock.now() + minutes(20), batch.at(-1)!.progress))
    await running.rest()
    await befall(running, owners, asleep)
    if (violations.length > 0) {
      running.killAll()
      return { violations: [...new Set(violations)], faults }
    }
  }

  calm = true
  for (const owner of asleep.splice(0)) owner.thaw()
  for (let n = 0; n < 8; n++) {
    await running.rest()
    stage.clock.moveTo(Math.max(stage.clock.now(), stageStart + hours(selects ? 70 : 30)) + hours(1))
  }
  await running.rest()
  for (const role of roles) {
    if (running.failed(role)) violations.push(`stuck: ${role} ended with ${String(owners.get(role)?.failure)}`)
  }
  running.killAll()
  violations.push(...(await verdictOn(running, policy, journal, draws)))
  return { violations: [...new Set(violations)], faults }
}

async function verdictOn(
  { stage, lost, publicLost }: Storm,
  policy: ReleasePolicy,
  journal: readonly JournalEntry[],
  draws: ReadonlyMap<bigint, Rational>,
): Promise<string[]> {
  const decode = (bytes: Uint8Array) => stage.wire.decode(topics.loadPublic as AnyTopic, bytes) as LoadPublic
  return judge({
    policy,
    journal,
    witnessed: stage.witnessed,
    ledger: stage.ledger(),
    lost,
    restricted: stage
      .committed(topics.loadRestricted)
      .map(({ value }) => stage.wire.decode(topics.loadRestricted as AnyTopic, value!) as LoadRestricted),
    decode,
    draws,
    unproven: stage.pin.head?.unproven,
    published: publicLost
      ? undefined
      : stage.committed(topics.loadPublic).map(({ key, value, timestamp }) => ({
          key: Buffer.from(key!).toString(),
          bytes: value!,
          timestamp,
        })),
  })
}

const writes = ['open', 'begin', 'sendOffsets', 'send', 'commit', 'abort']
const reads = ['poll', 'bounds', 'read']

function faultOf(dice: Random, method: string, count: Storm['count']): Fault | undefined {
  if (writes.includes(method)) {
    if (!dice.chance(0.05)) return undefined
    const kind = (['lost_request', 'lost_reply', 'late'] as const)[dice.below(3)]!
    count(`${kind.replace('_', ' ')}: ${method}`)
    return kind === 'late' ? { kind, ms: 1 + dice.below(minutes(30)) } : { kind }
  }
  if (!reads.includes(method) || !dice.chance(0.01)) return undefined
  count(`refused: ${method}`)
  return { kind: 'refused', code: 'retriable' }
}

/** Between two batches: owners fall asleep and wake up, offsets move, backups are made and restored. */
async function befall(running: Storm, owners: ReadonlyMap<string, Owner>, asleep: Owner[]): Promise<void> {
  const { stage, random: dice, snapshots, count } = running
  if (dice.chance(0.6)) {
    const owner = owners.get(roles[dice.below(2)]!)
    if (owner?.state === 'running') owner.freezeIn = dice.below(14)
  }
  for (const owner of [...asleep]) {
    if (!dice.chance(0.4)) continue
    asleep.splice(asleep.indexOf(owner), 1)
    owner.thaw()
    await running.rest()
  }
  if (dice.chance(0.15)) {
    count('offset moved')
    stage.moveOffset((offset) => [undefined, 0, dice.below(1 + (offset ?? 0)), (offset ?? 0) + 1_000][dice.below(4)])
  }
  if (dice.chance(0.1)) await stage.compact()
  if (dice.chance(0.25)) snapshots.push(stage.snapshot())
  if (snapshots.length > 0 && dice.chance(0.2)) await restoreSomething(running)
}

/** Each draw is another number, so that a value tells by which draw it was hidden; far apart, so that sums do not mix. */
const drawStep = 1_000_000_000n

interface Played {
  readonly stage: Stage
  readonly plant: Plant
  readonly draws: Map<bigint, Rational>
  readonly strike: (moment: { pipeline: string; step: string; at: string }) => void
  readonly violations: string[]
  readonly policy: ReleasePolicy
  readonly select: GroupSelector
}

function pipelinesOf({
  stage,
  plant,
  draws,
  strike,
  violations,
  policy,
  select,
}: Played): Readonly<Record<(typeof roles)[number], Pipeline>> {
  const { wire } = stage
  const framed = {
    schema: topics.loadPublic.codec.schema,
    encode: (value: LoadPublic) => wire.encode(topics.loadPublic as AnyTopic, value),
    decode: (bytes: Uint8Array) => wire.decode(topics.loadPublic as AnyTopic, bytes) as LoadPublic,
  }
  let sealing = ''
  const options: ReleaseTotalsOptions = releaseOptions({
    policy,
    register: registerOf(journalGroups),
    published: { ...topics.loadPublic, codec: framed },
    keyring: {
      derived: (purpose, epoch) => {
        sealing = epoch
        return testKeyring.derived(purpose, epoch)
      },
    },
    noise: {
      select,
      gaussian: (sigma2) => {
        strike({ pipeline: 'load', step: 'draw', at: 'before' })
        const paid = stage.ledger().some((link) => link.kind === 'charge' && link.date === sealing)
        if (!paid) violations.push(`I4: noise of ${sealing} was drawn before its charge was committed`)
        const draw = BigInt(draws.size + 1) * drawStep
        draws.set(draw, sigma2)
        strike({ pipeline: 'load', step: 'draw', at: 'after' })
        return draw
      },
    },
  })
  return {
    load: (plant.load ?? load)({ ...options, ...(plant.unpinned ? {} : { pin: stage.pin }) }),
    publish: (plant.publish ?? publish)({ codec: framed, domain: domain.name }),
  }
}

/** The first batches tell of as much progress as the second ones do: windows are then due as soon as the day is charged. */
function begunLate(streams: readonly (readonly LoadPartial[])[]): readonly (readonly LoadPartial[])[] {
  const least = Math.min(...streams.map((stream) => stream[1]!.progress))
  return streams.map(([first, ...rest]) => [{ ...first!, progress: Math.min(least, stageEnd) }, ...rest])
}

function randomJournal({ below, chance }: Random): JournalEntry[] {
  return Array.from({ length: 12 + below(10) }, () => ({
    source: below(2),
    hour: below(24),
    delay: chance(0.5) ? below(6) : chance(0.5) ? 19 + below(3) : below(2_000),
    channel: chance(0.7) ? 'import' : 'export',
    feeder: chance(0.5) ? 'feeder-1' : 'feeder-2',
    wh: below(5_000),
  }))
}
