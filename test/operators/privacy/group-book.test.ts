import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { groupBook } from '../../../operators/privacy/group-book.ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'

const groups = (change: Partial<Record<Level, string>> = {}): Readonly<Record<Level, string>> => ({
  utility: 'U',
  region: 'R',
  substation: 'S',
  feeder: 'F',
  ...change,
})

describe('groupBook', () => {
  test('gives a group of a level one number, whoever asks', () => {
    const { pathOf, size } = groupBook()
    const { utility, region, substation, feeder } = pathOf(groups())
    assert.deepEqual([utility, region, substation, feeder, size()], [0, 1, 2, 3, 4])
    assert.deepEqual(pathOf(groups()), pathOf(groups()))
    assert.equal(size(), 4)
  })

  test('tells groups of one name at two levels apart', () => {
    const { pathOf } = groupBook()
    const path = pathOf({ utility: 'x', region: 'x', substation: 'x', feeder: 'x' })
    assert.equal(new Set(levels.map((level) => path[level])).size, 4)
  })

  for (const level of levels) {
    test(`follows a feeder whose ${level} is another, and back`, () => {
      const { pathOf } = groupBook()
      const before = pathOf(groups())
      const moved = pathOf(groups({ [level]: 'other' }))
      for (const each of levels) assert.equal(moved[each] === before[each], each !== level, each)
      for (const each of levels) assert.equal(pathOf(groups())[each], before[each])
      assert.equal(pathOf(groups({ [level]: 'other' }))[level], moved[level])
    })
  }

  test('starts anew once it has seen more groups than it may, and not before', () => {
    const { pathOf, size, begin } = groupBook(6)
    pathOf(groups())
    begin()
    assert.equal(size(), 4)
    pathOf(groups({ feeder: 'G', substation: 'T' }))
    assert.equal(size(), 6)
    begin()
    assert.equal(size(), 0)
    assert.equal(pathOf(groups({ feeder: 'G' })).feeder, 3)
  })
})
