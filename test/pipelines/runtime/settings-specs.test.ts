import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy } from '../../../operators/privacy/release/policy.ts'
import { settingSpecs } from '../../../pipelines/runtime/settings-specs.ts'
import { levels } from '../../../schemas/register-entry.ts'

test('states the bounds and the cap that the policy has', () => {
  const { clipWhPerHalfHour, rhoPerDay } = defaultPolicy
  const stated = new Map(settingSpecs.map(({ key, fallback }) => [key, fallback]))
  for (const level of levels) {
    assert.equal(stated.get(`policy.clipWhPerHalfHour.${level}`), clipWhPerHalfHour[level].toLocaleString('en-US'))
  }
  assert.equal(stated.get('policy.rhoPerDay'), rhoPerDay)
})
