import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { registerView } from '../../../connectors/register/index.ts'
import type { CellKey } from '../../../operators/contract/operator.ts'
import { boundContributions, type ClipUse } from '../../../operators/privacy/bound-contributions.ts'
import { localDay } from '../../../operators/window/local-day.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
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
const context = { partition: 0 } as never

test('a household-day stays within S over any change of points that the register takes, however late its values come', () => {
  // Half hours of five days around a clock change: when one ends, when the next begins, and which values come when.
  const some = fc.integer({ min: 0, max: 240 })
  const values = fc.uniqueArray(fc.record({ at: some, delay: fc.integer({ min: 1, max: 80 }) }), {
    maxLength: 60,
    selector: ({ at }) => at,
  })
  let taken = 0
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 70 }), values, (ended, gap, sent) => {
      const validTo = from + ended * half
      const entries = [entry(1, { validTo }), entry(2, { validFrom: validTo + gap * half })]
      let register: ReturnType<typeof registerView>
      try {
        register = registerView(entries)
      } catch {
        return
      }
      taken++
      const cells = new Map<string, ClipUse>()
      const name = ({ index, day }: CellKey) => `${index} ${day}`
      const table = {
        get: (key: CellKey) => cells.get(name(key)),
        set: (key: CellKey, value: ClipUse) => void cells.set(name(key), value),
      }
      const bound = boundContributions({
        clip: { utility: clip, region: clip, substation: clip, feeder: clip },
        windowSeconds: 1_800,
      })
      const windows = new Map<string, Map<number, number>>()
      for (const { at, delay } of sent.toSorted((a, b) => a.at + a.delay - b.at - b.delay)) {
        const start = from + at * half
        const receivedAt = start + delay * half
        const by = register.byConnection('home', receivedAt)
        if (!by) continue
        const reading = { channel: 'import', start, durationSeconds: 1_800, energyWh: 15_000, quality: 0 } as const
        const record = { value: { entry: by, readings: [reading] }, origin: { receivedAt } }
        bound.process(
          [record] as never,
          table as never,
          {
            emit: (_: unknown, { readings }: { readings: readonly { bounded: { utility: number } }[] }) => {
              const { date } = localDay(timeZone, start)
              const day = windows.get(date) ?? new Map<number, number>()
              windows.set(date, day.set(start, (day.get(start) ?? 0) + readings[0]!.bounded.utility))
            },
            drop: () => undefined,
          } as never,
          context,
        )
      }
      for (const day of windows.values()) {
        assert.ok([...day.values()].reduce((sum, wh) => sum + wh * wh, 0) <= clip * clip)
      }
    }),
    { numRuns: Number(process.env['MV_CASES'] ?? 2_000) },
  )
  assert.ok(taken > 0)
})
