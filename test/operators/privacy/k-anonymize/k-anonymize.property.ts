import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kAnonymize } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { leastLoss, type Stated, violations, weight } from './definition.ts'
import { laterRegisters, registers, smallHierarchies } from './registers.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 4)

const options = fc.record({
  k: fc.integer({ min: 1, max: 12 }),
  maxSuppressed: fc.constantFrom(0, 0.05, 0.2, 1),
  hierarchies: fc.constant(smallHierarchies),
})

const stated = (
  entries: readonly RegisterEntry[],
  { of }: Pick<ReturnType<typeof kAnonymize>, 'of'>,
  before: (connection: string) => string | undefined = () => undefined,
): readonly Stated[] => entries.map((entry) => ({ entry, told: of(entry), before: before(entry.connection) }))

describe('kAnonymize', () => {
  it('never tells a combination that fewer than k households share', () => {
    fc.assert(
      fc.property(registers, options, (entries, chosen) => {
        assert.deepEqual(violations(stated(entries, kAnonymize(entries, chosen)), chosen.k), [])
      }),
      { numRuns },
    )
  })

  it('never tells in two epochs together what fewer than k households share', () => {
    fc.assert(
      fc.property(laterRegisters, options, ([before, after], chosen) => {
        const first = kAnonymize(before, chosen)
        const second = kAnonymize(after, { ...chosen, previous: first.classOf })
        assert.deepEqual(violations(stated(after, second, first.classOf), chosen.k), [])
      }),
      { numRuns },
    )
  })

  it('keeps lineages of three epochs as large, when they are handed on', () => {
    fc.assert(
      fc.property(laterRegisters, registers, options, ([one, two], three, chosen) => {
        const first = kAnonymize(one, chosen)
        const second = kAnonymize(two, { ...chosen, previous: first.lineageOf })
        const third = kAnonymize(three, { ...chosen, previous: second.lineageOf })
        assert.deepEqual(violations(stated(three, third, second.lineageOf), chosen.k), [])
      }),
      { numRuns },
    )
  })

  it('loses no more than the best choice of steps found by trying all', () => {
    fc.assert(
      fc.property(registers, options, (entries, chosen) => {
        const zone = entries.filter((entry) => entry.zone === 'de')
        if (zone.length === 0) return
        const [found] = kAnonymize(zone, chosen).zones
        const most = Math.floor(weight(zone) * chosen.maxSuppressed)
        const [best, worst] = leastLoss(zone, smallHierarchies, chosen.k, most)
        assert.ok(found!.loss >= best - 1e-9, `${found!.loss} is less than any choice, ${best}`)
        assert.ok(found!.loss <= worst + 1e-9, `${found!.loss} is more than the best choice, ${worst}`)
      }),
      { numRuns },
    )
  })

  it('keeps at least l sensitive values wherever something is told', () => {
    fc.assert(
      fc.property(registers, options, fc.integer({ min: 1, max: 3 }), (entries, chosen, l) => {
        const of = (entry: RegisterEntry) => entry.customerClass
        const result = kAnonymize(entries, { ...chosen, diversity: { l, of } })
        const values = new Map<string, Set<string>>()
        for (const entry of entries) {
          if (Object.values(result.of(entry)).every((name) => name === '*')) continue
          const name = result.classOf(entry.connection)!
          values.set(name, (values.get(name) ?? new Set()).add(of(entry)))
        }
        for (const [name, { size }] of values) assert.ok(size >= l, `${name} has ${size} values`)
        assert.deepEqual(violations(stated(entries, result), chosen.k), [])
      }),
      { numRuns },
    )
  })

  it('gives the same whatever order the register comes in', () => {
    fc.assert(
      fc.property(laterRegisters, fc.infiniteStream(fc.double({ noNaN: true })), options, ([a, b], keys, chosen) => {
        const shuffled = <T>(items: readonly T[]): readonly T[] =>
          items
            .map((item) => [keys.next().value as number, item] as const)
            .sort(([x], [y]) => x - y)
            .map(([, item]) => item)
        const run = (one: readonly RegisterEntry[], two: readonly RegisterEntry[]) => {
          const first = kAnonymize(one, chosen)
          return kAnonymize(two, { ...chosen, previous: first.classOf })
        }
        const [plain, other] = [run(a, b), run(shuffled(a), shuffled(b))]
        assert.deepEqual(plain.zones, other.zones)
        for (const entry of b) assert.deepEqual(plain.of(entry), other.of(entry))
      }),
      { numRuns },
    )
  })
})
