import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import { days } from '../../operators/contract/clock.ts'
import { isDate } from '../../operators/contract/policy-epoch.ts'
import { channels } from '../../schemas/interval-reading.ts'
import { notJson } from '../runtime/json-fault.ts'
import type { AuditWorld } from '../simulation/audit-world.ts'
import { type CliError, usageError } from './errors.ts'

const longestRunMs = days(3)
const name = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
const instant = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{3})?)?Z$/,
    'must be an instant in UTC such as 2026-01-15T08:00:00Z',
  )
  .transform((text, context) => {
    const at = Date.parse(text)
    if (isDate(text.slice(0, 10)) && !Number.isNaN(at)) return at
    context.addIssue({ code: 'custom', message: 'is no instant of the calendar' })
    return z.NEVER
  })
const wh = z.number().int().min(0).max(1_000_000_000)
const timeZone = z.string().refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')

const worldSchema = z
  .strictObject({
    name,
    timeZone,
    from: instant,
    until: instant,
    registered: z.record(name, z.number().int().min(1).max(10_000_000)),
    homes: z
      .array(z.strictObject({ home: name, feeder: name, fuseWhPerHour: z.number().int().min(1).max(10_000_000) }))
      .min(1)
      .max(10_000),
    readings: z.array(
      z.strictObject({
        home: name,
        channel: z.enum(channels),
        start: instant,
        seconds: z.number().int().min(60).max(3_600),
        wh,
        receivedAt: instant,
      }),
    ),
  })
  .superRefine((world, context) => {
    const refuse = (path: readonly (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
    if (world.until <= world.from) refuse(['until'], 'must lie after from')
    if (world.until - world.from > longestRunMs) refuse(['until'], 'must lie within three days of from')
    const homes = new Set<string>()
    world.homes.forEach(({ home, feeder }, i) => {
      if (homes.has(home)) refuse(['homes', i, 'home'], 'names a home twice')
      homes.add(home)
      if (world.registered[feeder] === undefined) refuse(['homes', i, 'feeder'], 'is not among registered')
    })
    for (const [feeder, points] of Object.entries(world.registered)) {
      const listed = world.homes.filter((home) => home.feeder === feeder).length
      if (points < listed) refuse(['registered', feeder], `counts fewer points than the ${listed} homes listed`)
    }
    world.readings.forEach(({ home, start, seconds, receivedAt }, i) => {
      if (!homes.has(home)) refuse(['readings', i, 'home'], 'is not among homes')
      if (3_600 % seconds !== 0) refuse(['readings', i, 'seconds'], 'must divide an hour, the length of a window')
      if (receivedAt < start) refuse(['readings', i, 'receivedAt'], 'lies before start')
      if (receivedAt < world.from || receivedAt > world.until) {
        refuse(['readings', i, 'receivedAt'], 'must lie between from and until')
      }
    })
  })

/** A world file as it is written and read. */
export type WorldFile = z.input<typeof worldSchema>

/** Reads a world. Throws a `CliError` that names the file, the place in it, and what is wrong there. */
export function readWorld(path: string): AuditWorld {
  const file = basename(path)
  const text = readFileSync(path, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unfit(`${file} ${notJson(text)}`)
  }
  const { success, data, error } = worldSchema.safeParse(value)
  if (success) {
    const readings = data.readings.map(({ seconds, ...reading }) => ({ ...reading, durationSeconds: seconds }))
    return { ...data, readings }
  }
  const [first] = error.issues
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : ''
  throw unfit(`${file}: ${place(first?.path ?? [])} ${first?.message ?? 'does not fit'}${more}`)
}

/** A world as the text of a file. */
export function formatWorld({ readings, from, until, ...world }: AuditWorld): string {
  const at = (instant: number): string => new Date(instant).toISOString().replace('.000Z', 'Z')
  const file: WorldFile = {
    ...world,
    from: at(from),
    until: at(until),
    homes: [...world.homes],
    registered: { ...world.registered },
    readings: readings.map(({ home, channel, start, durationSeconds, wh, receivedAt }) => ({
      home,
      channel,
      start: at(start),
      seconds: durationSeconds,
      wh,
      receivedAt: at(receivedAt),
    })),
  }
  const rows = (list: readonly object[]): string =>
    `[\n${list.map((row) => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]`
  const fields = Object.entries(file).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${Array.isArray(value) ? rows(value) : JSON.stringify(value)}`,
  )
  return `{\n${fields.join(',\n')}\n}\n`
}

/** Refuses two worlds that differ in what is public anyway. Throws a `CliError`. */
export function requireNeighbours(a: AuditWorld, b: AuditWorld): void {
  if (a.name === b.name) throw unfit(`both worlds are named ${a.name}`)
  for (const field of ['timeZone', 'from', 'until', 'registered', 'homes'] as const) {
    if (JSON.stringify(a[field]) === JSON.stringify(b[field])) continue
    throw unfit(`${a.name} and ${b.name} differ in ${field}, which is public: only readings may differ`)
  }
}

const unfit = (message: string): CliError =>
  usageError(`${message}.`, 'meterveil audit-run --write-example FOLDER writes two worlds to begin with.')

const place = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  ) || 'the world'

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}
