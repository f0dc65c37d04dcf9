import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError } from '../../../connectors/contract.ts'
import type { AssignStep } from '../../../operators/contract/observer.ts'
import { sayPauses } from '../../../pipelines/cli/say-pauses.ts'

const full = new LogError('disk_full', 'there is no room: make some')
const lost = new LogError('retriable', 'nobody answered')

const cases: readonly [string, readonly (readonly [number, AssignStep | LogError])[], readonly string[]][] = [
  [
    'says nothing of other retries',
    [
      [0, 'running'],
      [0, 'lost'],
      [0, lost],
    ],
    [],
  ],
  [
    'says once that a pipeline is paused',
    [
      [0, 'paused'],
      [0, full],
      [0, 'assigned'],
      [0, 'paused'],
      [0, full],
      [1, 'paused'],
      [1, full],
    ],
    ['load is paused: there is no room: make some'],
  ],
  [
    'says that it goes on when all of it does',
    [
      [0, 'paused'],
      [0, full],
      [1, 'paused'],
      [1, full],
      [0, 'running'],
      [1, 'running'],
    ],
    ['load is paused: there is no room: make some', 'load goes on.'],
  ],
  [
    'does not take what the group said for the reason',
    [
      [0, 'paused'],
      [-1, lost],
      [0, full],
    ],
    ['load is paused: there is no room: make some'],
  ],
  [
    'says it again the next time',
    [
      [0, 'paused'],
      [0, full],
      [0, 'running'],
      [0, 'paused'],
      [0, full],
    ],
    ['load is paused: there is no room: make some', 'load goes on.', 'load is paused: there is no room: make some'],
  ],
  [
    'does not say that it goes on where another process will',
    [
      [0, 'paused'],
      [0, full],
      [0, 'lost'],
    ],
    ['load is paused: there is no room: make some'],
  ],
]

for (const [name, facts, said] of cases) {
  test(name, () => {
    const notes: string[] = []
    const observer = sayPauses({ note: (text) => void notes.push(text) })
    for (const [partition, fact] of facts) {
      if (fact instanceof LogError) observer.retry('load', partition, fact)
      else observer.assignment('load', partition, fact)
    }
    assert.deepEqual(notes, said)
  })
}
