import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClaimProtocol } from './claims.ts'
import type { MixName } from './faults.ts'
import { findRun, simulate, story, type Verdict } from './simulate.ts'

const broken: readonly (readonly [ClaimProtocol, MixName, Verdict])[] = [
  ['A', 'kill', 'lost'],
  ['A', 'takeOver', 'lost'],
  ['A', 'viewLoss', 'duplicate'],
  ['B', 'kill', 'duplicate'],
  ['B', 'takeOver', 'duplicate'],
  ['C', 'viewLoss', 'duplicate'],
  ['D', 'viewLoss', 'duplicate'],
  ['E', 'viewLoss', 'duplicate'],
]

for (const [claims, mix, verdict] of broken) {
  test(`protocol ${claims} breaks under ${mix}: ${verdict}`, () => {
    assert.ok(findRun({ claims }, [mix], [verdict], 5_000), 'no run shows it')
  })
}

const cases = Math.ceil(Number(process.env['MV_CASES'] ?? 2_400) / 12)

const sound: readonly (readonly [ClaimProtocol, readonly MixName[]])[] = [
  ['C', ['kill', 'takeOver', 'timeOut', 'lostRequests']],
  ['E', ['kill', 'takeOver', 'timeOut', 'lostRequests']],
  ['F', ['kill', 'takeOver', 'timeOut', 'lostRequests', 'viewLoss']],
]

for (const [claims, mixes] of sound) {
  test(`protocol ${claims} holds under ${mixes.join(', ')}`, () => {
    for (const mix of mixes) {
      for (let seed = 1; seed <= cases; seed++) {
        if (simulate({ claims, mix, seed }).verdict !== 'fine') assert.fail(story({ claims, mix, seed }))
      }
    }
  })
}
