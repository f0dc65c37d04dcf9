import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSettings } from '../../../pipelines/runtime/settings.ts'
import { SettingsError } from '../../../pipelines/runtime/settings-error.ts'

describe('the rules of attributes', () => {
  it('are read from the file and from the environment alike', () => {
    const attributes = { k: 50, maxSuppressed: 0.01, l: 2 }
    const file = { attributesSince: '2026-11', attributes }
    const [one, other] = [
      readSettings({ env: {}, file: 'settings.json', read: () => JSON.stringify(file) }),
      readSettings({
        env: {
          METERVEIL_ATTRIBUTES_SINCE: '2026-11',
          METERVEIL_ATTRIBUTES_K: '50',
          METERVEIL_ATTRIBUTES_MAX_SUPPRESSED: '0.01',
          METERVEIL_ATTRIBUTES_L: '2',
        },
      }),
    ]
    for (const settings of [one, other]) {
      assert.deepEqual(settings.attributes, attributes)
      assert.equal(settings.attributesSince, '2026-11')
    }
  })

  for (const [variable, text] of [
    ['SINCE', '2026-13'],
    ['K', '1'],
    ['K', '20.5'],
    ['MAX_SUPPRESSED', '1.1'],
    ['MAX_SUPPRESSED', '5%'],
    ['MAX_SUPPRESSED', ''],
    ['L', '5'],
    ['L', '0'],
  ] as const) {
    it(`METERVEIL_ATTRIBUTES_${variable} may not be "${text}"`, () => {
      const name = `METERVEIL_ATTRIBUTES_${variable}`
      assert.throws(() => readSettings({ env: { [name]: text } }), {
        name: SettingsError.name,
        message: new RegExp(`${name} must be a (month|(whole )?number from)`),
      })
    })
  }
})
