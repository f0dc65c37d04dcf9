import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ViewPosition } from '../../../connectors/contract.ts'
import { memoryStateView } from '../../../connectors/memory/index.ts'
import { stateViewConformance } from '../../conformance/state-view.ts'

stateViewConformance('the in-memory view', async () => {
  const view = memoryStateView()
  return { view, other: view, close: view.close }
})

const origin: ViewPosition = { gen: 'g', seq: 0, hash: '' }
const first = { ...origin, seq: 1, hash: 'one' }
const second = { ...origin, seq: 2, hash: 'two' }
const cell = (value: number) => ({ table: 't', index: 1, day: 3, value: Uint8Array.of(value) })
const lookup = [{ table: 't', index: 1, day: 3 }]

async function atSecond() {
  const view = memoryStateView()
  await view.reset('s', undefined, origin, [])
  const apply = { floorDay: 0 }
  await view.exchange('s', { expected: origin, apply: { ...apply, seq: 1, hash: 'one', cells: [cell(1)] }, lookup })
  const backup = view.snapshot('s')
  await view.exchange('s', { expected: first, apply: { ...apply, seq: 2, hash: 'two', cells: [cell(2)] }, lookup })
  return { view, backup }
}

test('a cleared view is empty', async () => {
  const { view } = await atSecond()
  view.clear('s')
  assert.equal(await view.position('s'), undefined)
})

test('a restored view is what it was, as often as it is restored', async () => {
  const { view, backup } = await atSecond()
  for (let turn = 0; turn < 2; turn++) {
    view.restore('s', backup)
    assert.deepEqual(await view.position('s'), first)
    const answer = await view.exchange('s', {
      expected: first,
      apply: { seq: 2, hash: 'two', floorDay: 0, cells: [cell(9)] },
      lookup,
    })
    assert.deepEqual(answer, { status: 'ok', cells: [Uint8Array.of(9)] })
  }
})

test('a resent apply is harmless while nothing came after it, and refused afterwards', async () => {
  const { view, backup } = await atSecond()
  assert.equal(view.resend('s')?.status, 'ok')
  assert.deepEqual(await view.position('s'), second)
  view.restore('s', backup)
  assert.equal(view.resend('s')?.status, 'ok')
  assert.deepEqual(await view.position('s'), second)
  const to = { gen: 'h', seq: 2, hash: 'two' }
  await view.reset('s', second, to, [])
  assert.deepEqual(view.resend('s'), { status: 'mismatch', actual: to })
})
