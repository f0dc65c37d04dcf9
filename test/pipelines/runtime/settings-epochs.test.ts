import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSettings } from '../../../pipelines/runtime/settings.ts'
import { SettingsError } from '../../../pipelines/runtime/settings-error.ts'

const epochs = [
  { from: '2026-12-01', clipWhPerHalfHour: { feeder: 7_000 } },
  { from: '2027-03-01', clipWhPerHalfHour: { utility: 25_000 }, capRule: 'fuse, at most 17250 Wh per hour' },
  { from: '2027-04-01', capRule: 'fuse, at most half of what is left' },
]
const fromFile = (list: unknown) =>
  readSettings({ env: {}, file: 'settings.json', read: () => JSON.stringify({ policy: { epochs: list } }) })
const fromVariable = (text: string) => readSettings({ env: { METERVEIL_POLICY_EPOCHS: text } })

describe('the epochs of a policy', () => {
  it('are a list in the file, and the same list as JSON in the environment', () => {
    assert.deepEqual(fromFile(epochs).policy.epochs, epochs)
    assert.deepEqual(fromVariable(JSON.stringify(epochs)).policy.epochs, epochs)
    assert.deepEqual(readSettings({ env: {} }).policy.epochs, [])
  })

  const wrong: readonly (readonly [what: string, list: unknown])[] = [
    ['no list', { from: '2026-12-01' }],
    ['an epoch without a date', [{ clipWhPerHalfHour: { feeder: 7_000 } }]],
    ['a date that is none', [{ from: '2026-02-30' }]],
    ['dates out of order', [...epochs].reverse()],
    ['a date twice', [epochs[0], epochs[0]]],
    ['a level that is none', [{ from: '2026-12-01', clipWhPerHalfHour: { street: 7_000 } }]],
    ['a bound of nothing', [{ from: '2026-12-01', clipWhPerHalfHour: { feeder: 0 } }]],
    ['a rule of C that nothing follows', [{ from: '2026-12-01', capRule: 'half the fuse' }]],
    ['what may not change within a policy', [{ from: '2026-12-01', rhoPerDay: '1/100' }]],
  ]
  const refused = { name: SettingsError.name, message: /epochs/i }
  for (const [what, list] of wrong) {
    it(`may not be ${what}`, () => {
      assert.throws(() => fromFile(list), SettingsError)
      assert.throws(() => fromVariable(JSON.stringify(list)), refused)
    })
  }

  it('may not be text that is no JSON', () => assert.throws(() => fromVariable('2026-12-01'), refused))
})
