import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { HaltError } from '../../../../operators/contract/halt.ts'
import type { GroupSelector } from '../../../../operators/privacy/release/noise.ts'
import { type DrivenLog, drive } from '../../../helpers/release-driver.ts'
import { countingNoise, releaseOperator } from '../../../helpers/release-fixtures.ts'
import {
  faultsOf,
  partials,
  type Reported,
  recordingSelector,
  recordsOf,
  run,
  selecting,
  shownOn,
} from '../../../helpers/selection-fixtures.ts'

describe('the selection of groups over restarts', () => {
  const reported: readonly Reported[] = [{ count: 150 }, { count: 150, group: 'feeder-2' }]

  /** Another answer at each call: whoever asks twice for a day is seen to. */
  const fickle = (): GroupSelector => {
    let calls = 0
    return (_, counts) => [...counts.keys()].filter((name) => name.startsWith('feeder/') && (calls++ >> 2) % 2 === 0)
  }

  /** Groups that are withheld in some windows of a day and shown in others. */
  const changing = ({ ledger }: DrivenLog): readonly string[] => {
    const seen = new Map<string, boolean>()
    const found: string[] = []
    for (const [date, records] of recordsOf(ledger)) {
      for (const { group, rawWh } of records) {
        const name = `${date} ${group}`
        if ((seen.get(name) ?? rawWh !== null) !== (rawWh !== null)) found.push(name)
        seen.set(name, rawWh !== null)
      }
    }
    return [...new Set(found)]
  }

  const transactions = run(reported, fickle()).transactions
  for (const fate of ['lose', 'commit and die'] as const) {
    it(`is drawn once a day, whichever transaction is to ${fate}`, () => {
      for (let doomed = 0; doomed < transactions; doomed += 9) {
        const log = run(reported, fickle(), { fate: (n) => (n === doomed ? fate : 'commit') })
        assert.deepEqual(changing(log), [], `transaction ${doomed}`)
        assert.deepEqual(faultsOf(log.ledger), [])
      }
    })
  }

  it('would be found out if a restart drew again', () => {
    const drewAgain = (doomed: number): DrivenLog =>
      run(reported, fickle(), {
        fate: (n) => (n === doomed ? 'commit and die' : 'commit'),
        restored: (state) => {
          for (const [date, day] of state.days) {
            state.days.set(date, { ...day, plan: { ...day.plan, selected: undefined } })
            const counts = new Map([['feeder/feeder-1', 150]])
            const terms = { epsilon: rational.one, delta: rational.ratio(1n, 2n), pointsAtConnection: 1, counts }
            state.reporting.set(new Date(Date.parse(date) - 2 * 86_400_000).toISOString().slice(0, 10), terms)
          }
        },
      })
    const late = [8, 16, 24].map((before) => transactions - before)
    assert.ok(late.some((doomed) => changing(drewAgain(doomed)).length > 0))
  })

  const { rows, ledger } = run(reported, recordingSelector().select)
  const restore = (edit: (row: string, body: string) => string | undefined) => {
    const edited = [...rows].flatMap(([row, body]) => {
      const text = edit(row, Buffer.from(body).toString('utf8'))
      return text === undefined ? [] : [{ row, body: Buffer.from(text) }]
    })
    return () => releaseOperator({ policy: selecting() }).restore(edited, ledger)
  }

  it('comes back as it was', () => {
    const state = restore((_, body) => body)()
    assert.deepEqual([...(state.days.get('2026-01-18')?.plan.selected ?? ['none'])], [])
  })

  const lost: readonly (readonly [string, (row: string, body: string) => string | undefined, RegExp])[] = [
    [
      'which groups were selected',
      (_, body) => JSON.stringify({ ...JSON.parse(body), selected: undefined }),
      /lost which groups of 2026-01-18 were selected/,
    ],
    [
      'who reported',
      (row, body) => (row === 'reporting 2026-01-18' ? undefined : body),
      /lost who reported on 2026-01-18/,
    ],
  ]
  for (const [what, edit, message] of lost) {
    it(`halts where it lost ${what}`, () => {
      assert.throws(restore(edit), (error) => error instanceof HaltError && message.test(error.message))
    })
  }

  it('is not made from a day whose ledger was declared lost', () => {
    const { select } = recordingSelector()
    const log = drive({
      operator: releaseOperator({
        policy: selecting(),
        noise: { ...countingNoise(), select },
        unproven: () => '2026-01-15',
      }),
      partials: partials(reported),
    })
    assert.deepEqual(shownOn(log).get('2026-01-17'), [])
  })
})
