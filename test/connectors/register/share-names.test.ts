import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { shareNames } from '../../../connectors/register/share-names.ts'
import { type RegisterEntry, registerEntryCodec } from '../../../schemas/register-entry.ts'

const name = fc.constantFrom('a', 'b', 'c')
const anyEntry: fc.Arbitrary<RegisterEntry> = fc.record({
  point: fc.string(),
  connection: fc.string(),
  systemTitle: fc.string(),
  validFrom: fc.integer(),
  validTo: fc.option(fc.integer()),
  direction: fc.constantFrom('import', 'export', 'both'),
  partition: fc.nat(),
  index: fc.nat(),
  groups: fc.record({ utility: name, region: name, substation: name, feeder: name }),
  customerClass: fc.constantFrom('residential', 'commercial'),
  area: name,
  tariff: name,
  heating: name,
  dwelling: name,
  timeZone: name,
  zone: name,
  profile: name,
  protection: fc.constantFrom('none', 'authenticated-encrypted'),
  keyRef: fc.string(),
  fuseWhPerHour: fc.nat(),
  pointsAtConnection: fc.nat(),
})

describe('entries that share their names', () => {
  test('are equal to those they are made from, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 12 }), (entries) => {
        const shared = shareNames()
        for (const entry of entries) {
          const decoded = () => registerEntryCodec.decode(registerEntryCodec.encode(entry))
          assert.deepEqual(shared(decoded()), decoded())
        }
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 10) },
    )
  })

  test('hold one object for equal groups', () => {
    const shared = shareNames()
    const [entry] = fc.sample(anyEntry, { numRuns: 1, seed: 1 })
    const groups = { utility: 'U', region: 'R', substation: 'S', feeder: 'F' }
    const one = shared({ ...entry!, groups: { ...groups } })
    assert.equal(shared({ ...entry!, groups: { ...groups } }).groups, one.groups)
    assert.notEqual(shared({ ...entry!, groups: { ...groups, region: 'Q' } }).groups, one.groups)
  })
})
