import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../../../pipelines/runtime/settings.ts'

const selectionOf = (env: Readonly<Record<string, string>>) => readSettings({ env }).policy.selection

test('groups are not selected unless the settings say from how many households on', () => {
  assert.equal(selectionOf({}), undefined)
  assert.equal(selectionOf({ METERVEIL_SELECTION_SHARE: '1/10' }), undefined)
  assert.deepEqual(selectionOf({ METERVEIL_SELECTION_PRE_THRESHOLD: '100' }), {
    share: '1/20',
    delta: '1/100000000000',
    preThreshold: 100,
    pointsAtConnection: 1,
  })
})

for (const share of ['2/3', '1/1001', '1/0', '0/1', '0.05']) {
  test(`a selection may not spend ${share}`, () => {
    assert.throws(() => selectionOf({ METERVEIL_SELECTION_SHARE: share }), /a fraction from 1\/1000 to 1\/2/)
  })
}
