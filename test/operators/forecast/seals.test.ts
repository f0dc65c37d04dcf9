import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sealCollector } from '../../../operators/forecast/seals.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { released } from '../../helpers/forecast-fixtures.ts'

const seal = (n: number, groups: readonly string[], rest: Partial<LoadPublic> = {}): LoadPublic[] =>
  groups.map((group) => released(n, 1, { group, ...rest }))

/** After which record each seal was complete, and the groups it held. */
function collected(records: readonly LoadPublic[]): readonly (readonly [number, string])[] {
  const { add } = sealCollector()
  return records.flatMap((record, at) =>
    add(record).map((done) => [at, done.records.map(({ group }) => group).join(' ')] as const),
  )
}

describe('the seals of load.public', () => {
  it('are complete with the groups of the one before, the first when the next begins', () => {
    const records = [...seal(0, ['a', 'b']), ...seal(1, ['a', 'b']), ...seal(2, ['b', 'a'])]
    assert.deepEqual(collected(records), [
      [2, 'a b'],
      [3, 'a b'],
      [5, 'b a'],
    ])
  })

  it('are kept apart by channel', () => {
    const records = [0, 1].flatMap((n) => [...seal(n, ['a']), ...seal(n, ['a', 'b'], { channel: 'export' })])
    assert.deepEqual(collected(records), [
      [1, 'a'],
      [3, 'a b'],
      [3, 'a'],
      [5, 'a b'],
    ])
  })

  it('wait for the next one where a group is gone, and then know it', () => {
    const records = [...seal(0, ['a', 'b']), ...seal(1, ['a']), ...seal(2, ['a']), ...seal(3, ['a'])]
    assert.deepEqual(
      collected(records).map(([at]) => at),
      [2, 3, 3, 4],
    )
  })

  it('do without a new group once, and then know it', () => {
    const records = [...seal(0, ['a']), ...seal(1, ['a', 'b']), ...seal(2, ['a', 'b'])]
    assert.deepEqual(
      collected(records).map(([, groups]) => groups),
      ['a', 'a', 'a b'],
    )
  })

  it('hold withheld groups too', () => {
    const records = [0, 1].flatMap((n) => [released(n, 1), released(n, null, { group: 'b' })])
    assert.deepEqual(
      collected(records).map(([, groups]) => groups),
      ['feeder-1 b', 'feeder-1 b'],
    )
  })
})
