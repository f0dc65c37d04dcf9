import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kAnonymize, kAnonymizeByMonth } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { household } from './registers.ts'

/** Forty homes of two tariffs, each at a place of its own. */
const placed = (rest: (i: number) => Partial<RegisterEntry> = () => ({})): RegisterEntry[] =>
  Array.from({ length: 40 }, (_, i) =>
    household(`a ${i}`, { partition: i % 3, index: Math.floor(i / 3), tariff: i < 20 ? 'flat' : 'night', ...rest(i) }),
  )

const byNameOnly = ({ connection }: RegisterEntry): { readonly connection: string } => ({ connection })

describe('what is told, found by place', () => {
  it('is what is found by connection point alone', () => {
    const entries = placed()
    const { of } = kAnonymize(entries)
    for (const entry of entries) {
      assert.equal(of(entry), of(byNameOnly(entry)))
      assert.equal(of(entry).tariff, entry.tariff)
    }
  })

  it('does not go to whoever has the place of another', () => {
    const { of } = kAnonymize(placed())
    assert.equal(of({ ...placed()[0]!, connection: 'unknown' }).tariff, '*')
    assert.equal(of({ ...placed()[0]!, connection: 'a 39' }).tariff, 'night')
  })

  it('is right for both connection points that a place has had', () => {
    const entries = placed((i) => (i === 39 ? { partition: 0, index: 0 } : {}))
    const { of } = kAnonymize(entries)
    assert.equal(of(entries[0]!).tariff, 'flat')
    assert.equal(of(entries[39]!).tariff, 'night')
  })

  it('is right where an equal connection point is another string', () => {
    const { of } = kAnonymize(placed())
    const connection = Buffer.from('a 39').toString()
    assert.equal(of({ connection, partition: 0, index: 13 }).tariff, 'night')
  })

  it('is right for places far out, which have no room of their own', () => {
    const entries = placed((i) => ({ partition: i === 7 ? 2 ** 30 : 0, index: i === 8 ? 2 ** 31 - 1 : i }))
    const { of } = kAnonymize(entries)
    for (const entry of entries) assert.equal(of(entry).tariff, entry.tariff)
  })

  it('follows a household that the register of another month knows otherwise', () => {
    const timeZone = 'Europe/Berlin'
    const moved = Date.parse('2026-02-01T00:00+01:00')
    const before = placed(() => ({ validTo: moved }))
    const after = placed((i) => ({ validFrom: moved, tariff: i < 20 ? 'night' : 'flat' }))
    const told = kAnonymizeByMonth([...before, ...after], { timeZone, since: '2026-01' })
    // Back and forth, so that nothing is kept from the date before.
    for (const date of ['2026-01-31', '2026-02-01', '2026-01-31', '2026-01-30', '2026-02-02']) {
      for (const entry of before) {
        const own = date < '2026-02' ? entry : after[before.indexOf(entry)]!
        assert.equal(told(entry, date).tariff, own.tariff, `${entry.connection} on ${date}`)
      }
    }
  })

  it('is what is found by connection point alone, in any register', () => {
    const entry = fc.record({
      connection: fc.constantFrom(...'abcdefghij'),
      partition: fc.oneof(fc.nat(2), fc.constant(5_000)),
      index: fc.oneof(fc.nat(6), fc.constant(100_000)),
      tariff: fc.constantFrom('x', 'y', 'z'),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.array(entry, { maxLength: 10 }), (all, foreign) => {
        const { of } = kAnonymize(
          all.map(({ connection, ...rest }) => household(connection, rest)),
          { k: 2 },
        )
        for (const each of [...all, ...foreign]) {
          const { connection, partition, index } = each
          assert.equal(of({ connection, partition, index }), of({ connection }))
        }
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 4) },
    )
  })
})
