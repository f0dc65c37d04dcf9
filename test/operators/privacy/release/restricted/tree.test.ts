import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HaltError } from '../../../../../operators/contract/halt.ts'
import type { RegisteredGroup } from '../../../../../operators/contract/register.ts'
import { openDay } from '../../../../../operators/privacy/release/absorb.ts'
import { defaultPolicy } from '../../../../../operators/privacy/release/policy.ts'
import { policyEpochs } from '../../../../../operators/privacy/release/policy-epochs.ts'
import { crossing } from '../../../../../operators/privacy/release/restricted/tree.ts'
import { emptyState } from '../../../../../operators/privacy/release/state.ts'
import { localDay } from '../../../../../operators/window/local-day.ts'
import { berlin, group, groups, registerOf, releaseOptions } from '../../../../helpers/release-fixtures.ts'

const whole = group('substation', 's', null, 100)

describe('groupings', () => {
  const accepted: readonly (readonly [string, readonly RegisteredGroup[]])[] = [
    ['none', []],
    ['a whole tree', groups],
    ['one level alone', [group('feeder', 'a', 's', 5), group('feeder', 'b', 't', 5)]],
    ['parts of the one group above', [whole, group('feeder', 'a', null, 5)]],
    ['parts that hold fewer than their whole', [whole, group('feeder', 'a', 's', 99)]],
  ]
  for (const [what, all] of accepted) it(`may be ${what}`, () => assert.equal(crossing(all), undefined))

  const refused: readonly (readonly [string, readonly RegisteredGroup[], string])[] = [
    [
      'a part of two wholes',
      [whole, group('substation', 't', null, 100), group('feeder', 'a', 's', 5), group('feeder', 'a', 't', 5)],
      'the feeder a stands in the register twice, under s and under t',
    ],
    [
      'a group twice under one whole',
      [whole, group('feeder', 'a', 's', 5), group('feeder', 'a', 's', 6)],
      'the feeder a stands in the register twice, under one group',
    ],
    ['a part of nothing', [whole, group('feeder', 'a', 't', 5)], 'the feeder a is part of no substation that exists'],
    [
      'a part of one of several wholes, not said which',
      [whole, group('substation', 't', null, 100), group('feeder', 'a', null, 5)],
      'the feeder a is part of no substation that exists',
    ],
    [
      'parts that overlap',
      [whole, group('feeder', 'a', 's', 60), group('feeder', 'b', 's', 41)],
      'the parts of the substation s hold 101 points, more than its own 100',
    ],
  ]
  for (const [what, all, says] of refused) it(`may not be ${what}`, () => assert.equal(crossing(all), says))

  it('that cross halt the release before the day is charged', () => {
    const register = registerOf([whole, group('feeder', 'a', 't', 5)])
    const tools = { ...releaseOptions({ register }), policyOn: policyEpochs(defaultPolicy).on }
    const state = emptyState()
    assert.throws(() => openDay(state, localDay('Europe/Berlin', berlin('2026-01-15T06:00')), tools), HaltError)
    assert.equal(state.days.size, 0)
  })
})
