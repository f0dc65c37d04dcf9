import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkReload } from '../../../connectors/register/check-households.ts'
import { RegisterError, registerView } from '../../../connectors/register/index.ts'
import type { CellKey } from '../../../operators/contract/operator.ts'
import { boundContributions, type ClipUse } from '../../../operators/privacy/bound-contributions.ts'
import { localDay } from '../../../operators/window/local-day.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { topics } from '../../../schemas/topics.ts'
import { household } from '../../operators/privacy/k-anonymize/registers.ts'

const timeZone = 'Europe/Berlin'
const clip = 20_000
const half = 1_800_000
const from = Date.parse('2026-03-27T00:00:00Z')
const entry = (n: number, rest: Partial<RegisterEntry>): RegisterEntry => ({
  ...household('home', rest),
  point: `point ${n}`,
  index: n,
  systemTitle: `${n}`,
  fuseWhPerHour: 200_000,
})
const keyOf = (row: RegisterEntry) => topics.meterRegister.key(row) ?? ''
const context = { partition: 0 } as never
const bounds = { utility: clip, region: clip, substation: clip, feeder: clip }
const hours = fc.integer({ min: 2, max: 12 })
// Half hours of five days around a clock change.
const some = fc.integer({ min: 0, max: 240 })
const values = fc.uniqueArray(fc.record({ at: some, delay: fc.integer({ min: 1, max: 80 }) }), {
  maxLength: 60,
  selector: ({ at }) => at,
})
type Register = ReturnType<typeof registerView>

/** What the register makes of entries; undefined where it refuses them. */
function taken<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    assert.ok(error instanceof RegisterError)
    return undefined
  }
}

/** Bounds all values in the order in which they come in, and holds each local day of the household against S. */
function checkDays(
  sent: readonly { readonly at: number; readonly delay: number }[],
  registerAt: (receivedAt: number) => Register,
  cutOffHour: number,
): void {
  const cells = new Map<string, ClipUse>()
  const name = ({ index, day }: CellKey) => `${index} ${day}`
  const table = {
    get: (key: CellKey) => cells.get(name(key)),
    set: (key: CellKey, value: ClipUse) => void cells.set(name(key), value),
  }
  const bound = boundContributions({ clip: bounds, windowSeconds: 1_800, cutOffHour })
  const days = new Map<string, Map<number, number>>()
  for (const { at, delay } of sent.toSorted((a, b) => a.at + a.delay - b.at - b.delay)) {
    const start = from + at * half
    const receivedAt = start + delay * half
    const by = registerAt(receivedAt).byConnection('home', receivedAt)
    if (!by) continue
    const reading = { channel: 'import', start, durationSeconds: 1_800, energyWh: 15_000, quality: 0 } as const
    bound.process(
      [{ value: { entry: by, readings: [reading] }, origin: { receivedAt } }] as never,
      table as never,
      {
        emit: (_: unknown, { readings }: { readings: readonly { bounded: { utility: number } }[] }) => {
          const { date } = localDay(timeZone, start)
          const day = days.get(date) ?? new Map<number, number>()
          days.set(date, day.set(start, (day.get(start) ?? 0) + readings[0]!.bounded.utility))
        },
        drop: () => undefined,
      } as never,
      context,
    )
  }
  for (const day of days.values()) {
    assert.ok([...day.values()].reduce((sum, wh) => sum + wh * wh, 0) <= clip * clip)
  }
}

test('a household-day stays within S over any change of points that the register takes, however late its values come', () => {
  let count = 0
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 90 }), values, hours, (ended, gap, sent, cutOffHour) => {
      const validTo = from + ended * half
      const entries = [entry(1, { validTo }), entry(2, { validFrom: validTo + gap * half })]
      const register = taken(() => registerView(entries, { cutOffHour }))
      if (!register) return
      count++
      checkDays(sent, () => register, cutOffHour)
    }),
    { numRuns: Number(process.env['MV_CASES'] ?? 2_000) },
  )
  assert.ok(count > 0)
})

test('it does over any register that is loaded over another while values come', () => {
  const maybe = fc.option(some, { nil: undefined })
  const points = fc.constantFrom(1, 2)
  const register = fc.record({ ended: maybe, gap: fc.integer({ min: 0, max: 90 }), one: points, two: points })
  // Half of the time the second entry is another point, and else another meter of the first.
  const made = (other: number) => (drawn: { ended: number | undefined; gap: number; one: number; two: number }) => {
    const { ended, gap, one, two } = drawn
    const first = { systemTitle: '1', pointsAtConnection: one }
    if (ended === undefined) return [entry(1, first)]
    const validTo = from + ended * half
    const next = { ...entry(other, { validFrom: validTo + gap * half, pointsAtConnection: two }), systemTitle: '2' }
    return [{ ...entry(1, { validTo }), ...first }, next]
  }
  let count = 0
  fc.assert(
    fc.property(
      fc.tuple(register, fc.constantFrom(1, 2)),
      fc.tuple(register, fc.constantFrom(1, 2)),
      some,
      values,
      hours,
      ([before, b], [after, a], loaded, sent, cutOffHour) => {
        const now = from + loaded * half
        const [old, next] = [made(b)(before), made(a)(after)]
        const views = taken(() => {
          const both = [old, next].map((entries) => registerView(entries, { cutOffHour }))
          const present = new Map(old.map((row) => [keyOf(row), row]))
          checkReload(present, next, keyOf, { now, cutOffHour })
          return both
        })
        if (!views) return
        count++
        checkDays(sent, (receivedAt) => views[receivedAt < now ? 0 : 1]!, cutOffHour)
      },
    ),
    { numRuns: Number(process.env['MV_CASES'] ?? 2_000) },
  )
  assert.ok(count > 0)
})
