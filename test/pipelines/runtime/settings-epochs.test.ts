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

  const named: readonly (readonly [list: unknown, problems: readonly RegExp[]])[] = [
    [[{ from: '2026-13-01' }], [/policy\.epochs\[0\]\.from must be a day of the calendar, .*, and is "2026-13-01"$/]],
    [
      [{ from: '2026-12-01', clipWhPerHalfHour: { feeder: 5 } }],
      [/policy\.epochs\[0\]\.clipWhPerHalfHour\.feeder must be a whole number of Wh from 100 to 1,000,000, and is 5$/],
    ],
    [[{ from: '2026-12-01', capRule: 'half' }], [/policy\.epochs\[0\]\.capRule must be "fuse", .*, and is "half"$/]],
    [[epochs[1], epochs[0]], [/policy\.epochs\[1\]\.from must come after 2027-03-01, .*, and is "2026-12-01"$/]],
    [[{ capRule: 'fuse' }], [/policy\.epochs\[0\]\.from is missing: it must be a day of the calendar/]],
    [
      [{ from: '2026-12-01', rho: 1 }],
      [/policy\.epochs\[0\] may hold from, clipWhPerHalfHour and capRule only, and holds rho$/],
    ],
    [
      [{ from: '2026-13-01', capRule: 'half' }, 7],
      [/\[0\]\.from must/, /\[0\]\.capRule must/, /policy\.epochs\[1\] must be an object of from.*, and is 7$/],
    ],
  ]
  for (const [list, problems] of named) {
    it(`says what is wrong in ${JSON.stringify(list)}`, () => {
      assert.throws(
        () => fromFile(list),
        (error) => {
          assert.ok(error instanceof SettingsError)
          assert.equal(error.problems.length, problems.length, error.message)
          problems.forEach((problem, i) => {
            assert.match(error.problems[i] ?? '', problem)
          })
          return true
        },
      )
    })
  }

  it('may not be text that is no JSON', () => assert.throws(() => fromVariable('2026-12-01'), refused))
})
