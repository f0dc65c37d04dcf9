import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { memoryKeyring } from '../../connectors/keyring/index.ts'
import { memoryLog, memorySchemaRegistry, memoryStateView } from '../../connectors/memory/index.ts'
import { virtualClock } from '../../operators/contract/clock.ts'
import type { Fate } from '../../operators/contract/observer.ts'
import { type Reason, reasons } from '../../operators/contract/reasons.ts'
import type { Register } from '../../operators/contract/register.ts'
import { expectationOf } from '../../operators/decode-dlms/expect.ts'
import { intervalProfiles } from '../../operators/decode-dlms/profiles/index.ts'
import { framer } from '../../operators/decode-dlms/wire/framer.ts'
import type { Framing } from '../../operators/decode-dlms/wire/scan.ts'
import { kAnonymize } from '../../operators/privacy/k-anonymize/index.ts'
import { defaultPolicy } from '../../operators/privacy/release/policy.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { readings } from '../readings.ts'
import { run, sealer, silentObserver } from '../runtime/index.ts'
import { openWire } from '../runtime/wire.ts'
import { watchActivity } from '../testing/activity.ts'
import { exitCodes, usageError } from './errors.ts'
import type { Terminal } from './terminal.ts'

const hex = z.string().regex(/^([0-9a-f]{2})*$/i, 'must be hexadecimal')
const capturedFrame = z.object({
  id: z.string(),
  make: z.string().default('unknown'),
  transport: z.string(),
  hex,
  key: hex.nullish(),
  authKey: hex.nullish(),
  systemTitle: hex.nullish(),
})
export type CapturedFrame = z.infer<typeof capturedFrame>

/** Reads a file of captured frames: a JSON array of records with `id`, `transport`, `hex` and, if known, keys. */
export function readCaptured(path: string): readonly CapturedFrame[] {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError)
      throw usageError(`${path} is not JSON.`, 'Give a JSON array of frames with id, transport and hex.')
    throw error
  }
  const parsed = z.array(capturedFrame).safeParse(content)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw usageError(
    `${path} is not a file of frames: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}.`,
    'Give a JSON array of frames with id, transport and hex.',
  )
}

/** `meterveil demo --frames FILE`: captured frames through [readings], each as a meter of its own. Shows counts, never values. */
export async function runCaptured(path: string, terminal: Terminal): Promise<number> {
  const frames = readCaptured(path)
  if (frames.length === 0)
    throw usageError(`${path} holds no frame.`, 'Give a JSON array of frames with id, transport and hex.')
  terminal.line(`${frames.length} captured frames, each as a meter of its own, through the pipeline [readings].`)
  const fates = await throughReadings(frames)
  terminal.title('What the decoder makes of them')
  const makes = Map.groupBy(frames, ({ make }) => make.split(' (')[0] as string)
  terminal.table(
    ['make', 'captures', 'messages', 'values', 'refused'],
    [...makes].map(([make, own]) => {
      const facts = own.map((frame) => expectationOf(frame))
      const messages = facts.flatMap(({ messages: all }) => all as readonly Facts[])
      return [
        make,
        own.length,
        messages.length,
        messages.reduce((sum, message) => sum + valuesIn(message), 0),
        facts.filter(({ error }) => error).length,
      ]
    }),
  )
  terminal.title('What the pipeline makes of their transport units')
  terminal.table(
    ['', 'units', { head: '', align: 'left' }],
    [...fates].sort((a, b) => b[1] - a[1]).map(([fate, units]) => [fate, units, sentenceOf(fate)]),
  )
  terminal.line(
    'Captures of instantaneous values hold no interval energy; the pipeline reads intervals only, and says so.',
  )
  terminal.record({ kind: 'captured', frames: frames.length, fates: Object.fromEntries(fates) })
  return exitCodes.ok
}

interface Facts {
  readonly values?: readonly unknown[]
  readonly inner?: Facts
  readonly security?: { readonly systemTitle?: string }
}

const valuesIn = ({ values = [], inner }: Facts): number => values.length + (inner ? valuesIn(inner) : 0)

function sentenceOf(fate: Fate): string {
  const reason = fate.split(':')[1]
  return reason === undefined ? 'at least one interval is in household.readings' : reasons[reason as Reason].sentence
}

async function throughReadings(frames: readonly CapturedFrame[]): Promise<ReadonlyMap<Fate, number>> {
  const entries = frames.map(entryOf)
  const keyring = memoryKeyring({ master: new Uint8Array(32).fill(1), meters: frames.flatMap(keysOf) })
  const clock = virtualClock(Date.UTC(2026, 0, 1))
  const log = memoryLog({ clock })
  await log.createTopics(topicSpecs(1))
  const registry = memorySchemaRegistry()
  const wire = await openWire(registry, Object.values(topics))
  await log.append(
    frames.flatMap((frame, i) =>
      unitsOf(frame).map((bytes) => {
        const value = {
          connection: `capture-${i}`,
          listener: 'file',
          zone: 'captures',
          transport: framingOf(frame),
          forwarded: 0,
          bytes,
        }
        return {
          topic: topics.meterFrames.name,
          partition: 0,
          key: null,
          value: wire.encode(topics.meterFrames, value),
        }
      }),
    ),
  )
  const pipeline = readings({
    register: captureRegister(entries),
    keyring,
    profiles: intervalProfiles,
    generalise: kAnonymize(entries).of,
    policy: defaultPolicy,
  })
  const fates = new Map<Fate, number>()
  const activity = watchActivity()
  activity.expect(1)
  const running = await run(
    pipeline,
    { log, view: memoryStateView(), registry, clock, seal: sealer(keyring) },
    {
      probe: activity.probe,
      partitions: [0],
      observer: {
        ...silentObserver,
        batch: (_name, _partition, facts) => {
          for (const [fate, n] of facts.fates) fates.set(fate, (fates.get(fate) ?? 0) + n)
        },
      },
    },
  )
  await activity.rest(running.done)
  await running.stop()
  return fates
}

/** The system title that the first ciphered message of a capture says itself. */
function titleSaid(frame: CapturedFrame): string | undefined {
  const messages = expectationOf(frame)['messages'] as readonly Facts[]
  return messages.find(({ security }) => security?.systemTitle)?.security?.systemTitle
}

/** No register of an operator: several captures may come from one meter, each on a connection of its own. */
function captureRegister(entries: readonly RegisterEntry[]): Register {
  const byConnection = new Map(entries.map((entry) => [entry.connection, entry]))
  return { byConnection: (connection) => byConnection.get(connection), byTitle: () => undefined, groups: () => [] }
}

/** A capture knows no register: what the frame says of itself is taken, and only its own keys open it. */
function entryOf(frame: CapturedFrame, i: number): RegisterEntry {
  const group = { utility: 'captures', region: 'captures', substation: 'captures', feeder: 'captures' }
  return {
    point: `capture-${i}`,
    connection: `capture-${i}`,
    systemTitle: frame.systemTitle ?? titleSaid(frame) ?? '',
    validFrom: 0,
    validTo: null,
    direction: 'both',
    partition: 0,
    index: i + 1,
    groups: group,
    customerClass: 'residential',
    area: '',
    tariff: '',
    heating: '',
    dwelling: '',
    timeZone: 'UTC',
    zone: 'captures',
    profile: 'interval-30min',
    protection: 'none',
    keyRef: `capture-${i}`,
    fuseWhPerHour: 24_000,
    pointsAtConnection: 1,
  }
}

function keysOf({ key, authKey }: CapturedFrame, i: number) {
  if (!key) return []
  const own = { ref: `capture-${i}`, encryption: Buffer.from(key, 'hex') }
  return [authKey ? { ...own, authentication: Buffer.from(authKey, 'hex') } : own]
}

function framingOf({ transport }: CapturedFrame): Framing {
  if (transport.startsWith('hdlc')) return 'hdlc'
  return transport === 'mbus' || transport === 'wrapper' ? transport : 'apdu'
}

function unitsOf(frame: CapturedFrame): Uint8Array[] {
  const bytes = Buffer.from(frame.hex, 'hex')
  const framing = framingOf(frame)
  // The information field of an HDLC frame begins with its LLC header, which a bare APDU has not.
  if (framing === 'apdu') return [frame.transport === 'llc' ? bytes.subarray(3) : bytes]
  const cut = framer(framing)
  return [...cut.push(bytes), ...cut.end()].flatMap((event) => (event.kind === 'unit' ? [event.bytes] : []))
}
