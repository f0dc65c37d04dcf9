import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../../pipelines/runtime/nearest.ts'

test('a typing error finds its name', () => {
  assert.equal(nearest('fcs_mismach', ['hcs_mismatch', 'fcs_mismatch', 'duplicate'])[0], 'fcs_mismatch')
})

test('a part of a name finds the name', () => {
  assert.deepEqual(nearest('truncated', ['frame_truncated', 'axdr_truncated', 'duplicate']), [
    'axdr_truncated',
    'frame_truncated',
  ])
})

test('what is like nothing finds nothing', () => {
  assert.deepEqual(nearest('zzzz', ['frame_truncated', 'duplicate']), [])
})
