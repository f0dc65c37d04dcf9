import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { HaltError } from '../../../operators/contract/halt.ts'
import { emptyHead, verifyChain } from '../../../operators/privacy/ledger/chain.ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import type { LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { type DriveOptions, drive, rowsOf } from '../../helpers/release-driver.ts'
import {
  berlin,
  both,
  cell,
  countingNoise,
  groups,
  partial,
  policyWith,
  publicCodec,
  registerOf,
  releaseOperator,
  zeroNoise,
} from '../../helpers/release-fixtures.ts'

const day = '2026-01-15'
const next = '2026-01-16'
const at = (time: string): string => `${day}T${time}`

const run = (partials: readonly LoadPartial[], rest: Partial<DriveOptions> = {}) =>
  drive({ operator: releaseOperator(), partials, ...rest })

const seals = (ledger: readonly LedgerRecord[]): LedgerSeal[] =>
  ledger.filter((link): link is LedgerSeal => link.kind === 'seal')

const open = (seal: LedgerSeal): LoadPublic[] =>
  unpackRecords(seal.records, seal.hash, seal.count).map(({ bytes }) => publicCodec.decode(bytes))

const feeder1 = (seal: LedgerSeal): LoadPublic => open(seal).find(({ group }) => group === 'feeder-1')!

describe('releaseTotals: charging', () => {
  it('charges a day before anything of it is sealed, for every level once', () => {
    const { ledger } = run(both(1, at('01:00')))
    assert.deepEqual(
      ledger.slice(0, 2).map(({ kind }) => kind),
      ['charge', 'checkpoint'],
    )
    const charge = ledger[0]!
    assert.ok(charge.kind === 'charge')
    assert.equal(charge.date, day)
    assert.deepEqual(
      charge.charges.map(({ release, level, rho }) => [release, level, rho]),
      ['utility', 'region', 'substation', 'feeder'].map((level) => ['interval_sums', level, '2435597/400000000']),
    )
  })

  it('commits the charge in a transaction of its own', () => {
    const { ledger, transactions } = run(both(1, at('01:00')), { batches: [2] })
    assert.equal(transactions, 2)
    assert.equal(seals(ledger).length, 2)
  })

  it('says nothing before every source partition has been heard of', () => {
    assert.deepEqual(run([partial(0, 1, at('12:00'))]).ledger, [])
  })

  it('charges the next day when the first source partition reaches it', () => {
    const { ledger } = run([...both(1, at('01:00')), partial(0, 2, `${next}T00:00`)])
    assert.deepEqual(
      ledger.flatMap((link) => (link.kind === 'charge' ? [link.date] : [])),
      [day, next],
    )
  })

  it('counts what the year has cost, and begins anew on 1 January', () => {
    const { ledger } = run([...both(1, '2025-12-30T01:00'), ...both(2, '2026-01-01T01:00')])
    assert.deepEqual(
      ledger.flatMap((link) => (link.kind === 'checkpoint' ? [[link.date, link.rhoYear, link.days]] : [])),
      [
        ['2025-12-30', '2435597/100000000', 1],
        ['2025-12-31', '2435597/50000000', 2],
        ['2026-01-01', '2435597/100000000', 1],
      ],
    )
  })
})

describe('releaseTotals: sealing', () => {
  it('publishes the bounded sum where the noise is zero', () => {
    const { ledger } = drive({
      operator: releaseOperator({ noise: zeroNoise }),
      partials: [
        partial(0, 1, at('00:40'), [cell(at('00:00'), 700), cell(at('00:00'), 5, { channel: 'export' })]),
        partial(1, 1, at('00:50'), [cell(at('00:00'), 300), cell(at('00:00'), 90, { group: 'feeder-2' })]),
        partial(0, 2, at('00:50')),
      ],
    })
    const [imported, exported] = seals(ledger)
    assert.deepEqual(
      open(imported!).map(({ group, rawWh }) => [group, rawWh]),
      [
        ['utility-1', 0],
        ['region-1', 0],
        ['substation-1', 0],
        ['feeder-1', 1_000],
        ['feeder-2', 90],
        ['feeder-3', null],
        ['feeder-4', null],
      ],
    )
    assert.equal(feeder1(exported!).rawWh, 5)
  })

  it('seals a window only when the slower source partition has passed its end and the grace', () => {
    const early = run([partial(0, 1, at('09:00')), partial(1, 1, at('00:49'))])
    assert.deepEqual(seals(early.ledger), [])
    const due = run([partial(0, 1, at('09:00')), partial(1, 1, at('00:50'))])
    assert.deepEqual(
      seals(due.ledger).map(({ window, channel, phase }) => [window, channel, phase]),
      [
        [berlin(at('00:00')), 'import', 'preliminary'],
        [berlin(at('00:00')), 'export', 'preliminary'],
      ],
    )
  })

  it('publishes at the tick five minutes after a window is due', () => {
    const [seal] = seals(run(both(1, at('00:50'))).ledger)
    assert.equal(seal!.tick, berlin(at('00:55')))
  })

  it('seals every window of the day in both phases, also empty ones, and nothing twice', () => {
    const { ledger, rows } = run(both(1, at('00:10')).concat(both(2, `${next}T06:00`)), { batches: [4] })
    const names = seals(ledger)
      .filter(({ date }) => date === day)
      .map(({ window, channel, phase }) => `${window} ${channel} ${phase}`)
    assert.equal(names.length, 48 * 2 * 2)
    assert.equal(new Set(names).size, names.length)
    assert.ok(rows.size > 0)
    assert.ok(!rows.has(`plan ${day}`))
    assert.ok([...rows.values()].every((body) => !Buffer.from(body).toString().includes(`"date":"${day}"`)))
  })

  it('releases 46 and 50 windows on the days when clocks change', () => {
    for (const [date, after, windows] of [
      ['2026-03-29', '2026-03-30T05:00', 46],
      ['2026-10-25', '2026-10-26T06:00', 50],
    ] as const) {
      const { ledger } = run([...both(1, `${date}T01:00`), ...both(2, after)])
      const late = seals(ledger).filter((seal) => seal.date === date && seal.phase === 'late')
      assert.equal(late.length, windows * 2, date)
    }
  })

  it('adds the noisy late increment to the noisy preliminary value', () => {
    const { ledger } = run([
      ...both(1, at('00:50'), [cell(at('00:00'), 1_000)]),
      ...both(2, `${next}T05:59`, [cell(at('00:00'), 40, { phase: 'late' })]),
      ...both(3, `${next}T06:00`),
    ])
    const [preliminary, final] = seals(ledger).filter(
      ({ window, channel }) => window === berlin(at('00:00')) && channel === 'import',
    )
    const first = feeder1(preliminary!)
    const last = feeder1(final!)
    // The counting noise of feeder-1, the fourth group, is 4 in the first window; five groups are drawn for per seal.
    assert.equal(first.rawWh, 1_004)
    assert.equal(first.phase, 'preliminary')
    assert.equal(last.phase, 'final')
    assert.ok(last.rawWh! > first.rawWh! + 40)
    assert.equal((last.rawWh! - first.rawWh! - 40) % 5, 4)
    assert.deepEqual(last.flags, ['late_increment_added'])
    assert.equal(final!.tick, berlin(`${next}T06:05`))
  })

  it('states the noise of one draw for preliminary and of two for final values', () => {
    const { ledger } = run([...both(1, at('00:50')), ...both(2, `${next}T06:00`)])
    const all = seals(ledger).filter(({ window }) => window === berlin(at('00:00')))
    const terms = resolvePolicy(policyWith({})).levels.feeder
    const twice = rational.mul(rational.integer(2), terms.sigma2)
    assert.equal(feeder1(all[0]!).privacy.sigma2, rational.format(terms.sigma2))
    assert.equal(feeder1(all[2]!).privacy.sigma2, rational.format(twice))
    assert.equal(feeder1(all[2]!).privacy.rho, feeder1(all[0]!).privacy.rho)
    assert.ok(feeder1(all[2]!).half95Wh! > feeder1(all[0]!).half95Wh!)
  })

  it('gives withheld groups a record without a value and draws nothing for them', () => {
    const noise = countingNoise()
    const { ledger } = drive({ operator: releaseOperator({ noise }), partials: both(1, at('00:50')) })
    const records = open(seals(ledger)[0]!)
    assert.deepEqual(
      records.filter(({ rawWh }) => rawWh === null).map(({ group, flags, half95Wh }) => [group, flags, half95Wh]),
      [
        ['feeder-3', ['withheld_small_group'], null],
        ['feeder-4', ['withheld_not_useful'], null],
      ],
    )
    assert.equal(noise.drawn.length, 5 * 2)
  })

  it('draws with the variance of the level', () => {
    const noise = countingNoise()
    drive({ operator: releaseOperator({ noise }), partials: both(1, at('00:50')) })
    const { levels } = resolvePolicy(policyWith({}))
    assert.deepEqual(
      noise.drawn.slice(0, 5).map(rational.format),
      [levels.utility, levels.region, levels.substation, levels.feeder, levels.feeder].map(({ sigma2 }) =>
        rational.format(sigma2),
      ),
    )
  })

  it('puts the ledger place into every public record', () => {
    const { ledger } = run(both(1, at('01:50')))
    for (const seal of seals(ledger)) {
      for (const record of open(seal)) {
        assert.equal(record.ledgerSeq, seal.seq)
        assert.deepEqual(record.ledgerHash, seal.hash)
      }
    }
    assert.equal(verifyChain(ledger, emptyHead, 'demo').ok, true)
  })

  it('bounds the number of seals of a transaction', () => {
    const { ledger, transactions } = run(both(1, at('12:20')), { batches: [2] })
    assert.equal(seals(ledger).length, 48)
    assert.equal(transactions, 1 + 48 / 8)
  })
})

describe('releaseTotals: days before the first', () => {
  it('releases nothing of a day before the one it began on', () => {
    const early = cell('2026-01-14T23:30', 500, { phase: 'late' })
    const { ledger } = run([...both(1, at('00:10'), [early]), ...both(2, at('09:00'), [early])])
    assert.deepEqual(
      seals(ledger).filter(({ date }) => date !== day),
      [],
    )
  })

  it('keeps what came in before every source partition was heard of', () => {
    const { ledger } = drive({
      operator: releaseOperator({ noise: zeroNoise }),
      partials: [partial(0, 1, at('00:50'), [cell(at('00:00'), 77)]), partial(1, 9, at('00:50'))],
    })
    assert.equal(feeder1(seals(ledger)[0]!).rawWh, 77)
  })
})

describe('releaseTotals: restoring', () => {
  const partials = [...both(1, at('00:50'), [cell(at('00:00'), 10)]), ...both(2, at('01:40'), [cell(at('00:30'), 20)])]

  it('goes on where rows and ledger stand, with nothing sealed or charged again', () => {
    const log = run(partials)
    const operator = releaseOperator()
    const restored = operator.restore(rowsOf(log.rows), log.ledger)
    assert.equal(restored.head.seq, log.ledger.length)
    assert.equal(restored.days.get(day)!.sealed.preliminary, 4)
    assert.equal(restored.days.get(day)!.charge, 'open')
  })

  it('keeps the plan of a charged day when register and policy change', () => {
    const log = run(partials)
    const operator = releaseOperator({
      policy: policyWith({ graceSeconds: 60 }),
      register: registerOf(groups.slice(0, 5)),
    })
    const state = operator.restore(rowsOf(log.rows), log.ledger)
    assert.equal(state.days.get(day)!.plan.groups.length, groups.length)
    assert.equal(state.days.get(day)!.plan.resolved.policy.graceSeconds, 1_200)
  })

  it('is content with a ledger that begins at the charge of the oldest open day', () => {
    const log = run([...partials, ...both(3, `${next}T06:00`)])
    const from = log.ledger.findIndex((link) => link.kind === 'charge' && link.date === next)
    assert.ok(from > 0)
    assert.equal(releaseOperator().restore(rowsOf(log.rows), log.ledger.slice(from)).head.seq, log.ledger.length)
    assert.throws(() => releaseOperator().restore(rowsOf(log.rows), log.ledger.slice(from + 1)), HaltError)
  })

  const log = run(partials)
  const plan = log.rows.get(`plan ${day}`)!
  const altered = Buffer.from(Buffer.from(plan).toString().replace('"graceSeconds":1200', '"graceSeconds":1300'))
  const head = Buffer.from(log.rows.get('head')!).toString()
  const faults: readonly (readonly [string, ReadonlyMap<string, Uint8Array>, readonly LedgerRecord[], RegExp])[] = [
    ['the rows are lost', new Map(), log.ledger, /load.state is gone/],
    ['the ledger is lost', log.rows, [], /ends at 0/],
    ['the ledger is cut short', log.rows, log.ledger.slice(0, -1), /stands at ledger link/],
    ['a link is missing', log.rows, log.ledger.filter((_, i) => i !== 2), /broken at link 4: gap/],
    ['a link is doubled', log.rows, [...log.ledger, log.ledger.at(-1)!], /twin/],
    [
      'the plan of a day is lost',
      new Map([...log.rows].filter(([row]) => row !== `plan ${day}`)),
      log.ledger,
      /lost the frozen plan/,
    ],
    ['the plan of a day was changed', new Map([...log.rows, [`plan ${day}`, altered]]), log.ledger, /another policy/],
    [
      'the rows count fewer seals than the ledger holds',
      new Map([...log.rows, ['head', Buffer.from(head.replace(`["${day}",true,4,0]`, `["${day}",true,2,0]`))]]),
      log.ledger,
      /differ in which preliminary windows/,
    ],
    [
      'the rows forget the charge',
      new Map([...log.rows, ['head', Buffer.from(head.replace(`["${day}",true,4,0]`, `["${day}",false,4,0]`))]]),
      log.ledger,
      /holds 1 charges/,
    ],
    [
      'the year comes out differently',
      new Map([...log.rows, ['head', Buffer.from(head.replace('2435597/100000000', '1/100'))]]),
      log.ledger,
      /not those that load.state counts/,
    ],
  ]
  for (const [what, rows, ledger, message] of faults) {
    it(`halts when ${what}`, () => {
      assert.throws(
        () => releaseOperator().restore(rowsOf(rows), ledger),
        (error) => error instanceof HaltError && message.test(error.message),
      )
    })
  }
})
