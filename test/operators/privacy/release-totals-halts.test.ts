import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { HaltReason } from '../../../operators/privacy/ledger/reasons.ts'
import type { LoadPartial } from '../../../schemas/load-partial.ts'
import { drive } from '../../helpers/release-driver.ts'
import { both, cell, groups, partial, registerOf, releaseOperator } from '../../helpers/release-fixtures.ts'

const day = '2026-01-15'
const next = '2026-01-16'
const at = (time: string): string => `${day}T${time}`

const run = (partials: readonly LoadPartial[]) => drive({ operator: releaseOperator(), partials })

describe('releaseTotals: broken promises', () => {
  const cases: readonly (readonly [string, readonly LoadPartial[], RegExp, HaltReason])[] = [
    ['a missing batch', [partial(0, 1, at('01:00')), partial(0, 3, at('01:00'))], /misses a batch/, 'partials_broken'],
    [
      'a repeated batch',
      [partial(0, 1, at('01:00')), partial(0, 1, at('01:00'))],
      /repeats a batch/,
      'partials_broken',
    ],
    [
      'progress that goes back',
      [partial(0, 1, at('01:00')), partial(0, 2, at('00:59'))],
      /went back/,
      'partials_broken',
    ],
    ['a source partition too many', [partial(2, 1, at('01:00'))], /source partition 2 of 2/, 'writers_differ'],
    [
      'a group of no plan',
      [partial(0, 1, at('01:00'), [cell(at('00:00'), 1, { group: 'x' })])],
      /does not know/,
      'group_unknown',
    ],
    [
      'a window off the grid',
      [partial(0, 1, at('01:00'), [cell(at('00:10'), 1)])],
      /not on the grid/,
      'writers_differ',
    ],
    [
      'a window of another length',
      [partial(0, 1, at('01:00'), [cell(at('00:00'), 1, { windowSeconds: 900 })])],
      /not on the grid/,
      'writers_differ',
    ],
    [
      'a window of another day',
      [partial(0, 1, at('01:00'), [cell(at('00:00'), 1, { date: next })])],
      /another day/,
      'writers_differ',
    ],
    [
      'a cell ahead of its progress',
      [partial(0, 1, at('01:00'), [cell(at('01:00'), 1)])],
      /ahead of its own progress/,
      'partials_broken',
    ],
    [
      'a preliminary cell after its seal',
      [...both(1, at('00:50')), partial(0, 2, at('00:51'), [cell(at('00:00'), 1)])],
      /after its window was sealed/,
      'partials_broken',
    ],
    [
      'a late cell after the cut-off',
      [
        ...both(1, at('00:50')),
        ...both(2, `${next}T06:00`),
        partial(0, 3, `${next}T06:01`, [cell(at('00:00'), 1, { phase: 'late' })]),
      ],
      /after the late values of that day were sealed/,
      'partials_broken',
    ],
  ]
  for (const [what, partials, message, reason] of cases) {
    it(`halts on ${what}`, () => {
      assert.throws(
        () => run(partials),
        (error) => error instanceof HaltError && message.test(error.message) && error.reason === reason,
      )
    })
  }

  it('halts without a ledger key and seals nothing', () => {
    const operator = releaseOperator({ keyring: { derived: () => undefined } })
    assert.throws(() => drive({ operator, partials: both(1, at('00:50')) }), {
      message: /no ledger key/,
      reason: 'key_missing',
    })
  })

  it('halts on groups that cross', () => {
    const register = registerOf([...groups, { ...groups.at(-1)!, group: 'lost', parent: 'nowhere' }])
    const operator = releaseOperator({ register })
    const partials = both(1, at('00:50'))
    assert.throws(() => drive({ operator, partials }), { message: /is part of no/, reason: 'groups_cross' })
  })
})
