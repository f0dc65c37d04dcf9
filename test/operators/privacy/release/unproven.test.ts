// A ledger that was lost: what its days may have released is never drawn again.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { documentedCap } from '../../../../operators/privacy/ledger/overview.ts'
import { unpackRecords } from '../../../../operators/privacy/ledger/packed-records.ts'
import { verifyLedger } from '../../../../operators/privacy/ledger/verify.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'
import { topics } from '../../../../schemas/topics.ts'
import { publicCodec, releasedPartials } from '../../../helpers/ledger-fixture.ts'
import { type DrivenLog, drive } from '../../../helpers/release-driver.ts'
import {
  berlin,
  cell,
  countingNoise,
  group,
  partial,
  registerOf,
  releaseOperator,
} from '../../../helpers/release-fixtures.ts'

const partials = releasedPartials(31)
const sealsOf = (ledger: readonly LedgerRecord[]) => ledger.filter((link) => link.kind === 'seal')

/** Draws by window, channel, phase and group: a value that is shown was drawn once for it. */
function shownIn(...ledgers: readonly (readonly LedgerRecord[])[]): Map<string, Set<number | null>> {
  const shown = new Map<string, Set<number | null>>()
  for (const seal of ledgers.flatMap(sealsOf)) {
    for (const { key, bytes } of unpackRecords(seal.records, seal.hash, seal.count)) {
      const { rawWh } = publicCodec.decode(bytes)
      const name = `${seal.window} ${seal.channel} ${seal.phase} ${key}`
      if (rawWh !== null) shown.set(name, (shown.get(name) ?? new Set()).add(rawWh))
    }
  }
  return shown
}

const faultsOf = (ledger: readonly LedgerRecord[]): string[] => {
  const says: string[] = []
  const published = { key: topics.loadPublic.key, decode: publicCodec.decode }
  const verifier = verifyLedger({ published, cap: documentedCap, found: (fault) => says.push(fault.says) })
  for (const link of ledger) verifier.follow(link)
  verifier.finish()
  return says
}

/** The same input, once with noise of its own each: what a domain does that was begun or rolled back to nothing. */
function again(unproven: string | undefined, noise = countingNoise()): DrivenLog {
  // Another stream of draws, so that a second draw for one window shows.
  for (let n = 0; n < 7; n++) noise.gaussian({ num: 1n, den: 1n })
  const operator = releaseOperator({ noise, unproven: () => unproven })
  return drive({ operator, partials, batches: [4] })
}

describe('a ledger that was declared lost', () => {
  const lost = drive({ operator: releaseOperator(), partials, batches: [4] })

  it('would be drawn for again without the declaration, which this test can see', () => {
    const twice = [...shownIn(lost.ledger, again(undefined).ledger).values()].filter(({ size }) => size > 1)
    assert.ok(twice.length > 100)
  })

  it('is never drawn for again on the days that it may have released', () => {
    const next = again('2026-01-16')
    assert.equal(shownIn(next.ledger).size, 0)
    assert.deepEqual(
      [...shownIn(lost.ledger, next.ledger).values()].filter(({ size }) => size > 1),
      [],
    )
  })

  it('still charges and seals every window of those days, withheld as unproven in both phases', () => {
    const noise = countingNoise()
    const { ledger, rows } = again('2026-01-15', noise)
    assert.deepEqual(faultsOf(ledger), [])
    assert.equal(sealsOf(ledger).length, sealsOf(lost.ledger).length)
    for (const seal of sealsOf(ledger)) {
      const records = unpackRecords(seal.records, seal.hash, seal.count).map(({ bytes }) => publicCodec.decode(bytes))
      const shown = records.filter(({ rawWh }) => rawWh !== null)
      if (seal.date > '2026-01-15') assert.ok(shown.length > 0)
      else {
        for (const { flags, mergedInto, rawWh, consistentWh, smoothedWh } of records) {
          assert.equal(mergedInto, null)
          assert.match(flags[0] ?? '', /^withheld_/)
          assert.deepEqual([rawWh, consistentWh, smoothedWh], [null, null, null])
        }
        assert.ok(records.some(({ flags }) => flags.includes('withheld_unproven')))
      }
    }
    assert.match(Buffer.from(rows.get('head')!).toString(), /"unprovenThrough":"2026-01-15"/)
  })

  it('has no exact sums shown again either, which other input would make differ', () => {
    const register = registerOf([group('utility', 'utility-1', null, 3_000)])
    const ofWindow = (day: number, hour: string) => {
      const sums = { exactWh: 600_000, count: 3_000, largestWh: 900, secondWh: 900, thirdWh: 900 }
      const [window, until] = ['00', '45'].map((minute) => `2026-01-${day}T${hour}:${minute}`)
      const cells = [cell(window!, 0, { level: 'utility', group: 'utility-1', ...sums })]
      return { window: berlin(window!), until: until!, cells }
    }
    const windows = [15, 16].flatMap((day) => ['01', '10'].map((hour) => ofWindow(day, hour)))
    const sent = [{ until: '2026-01-15T00:10', cells: [] }, ...windows].flatMap(({ until, cells }, n) => [
      partial(0, n + 1, until, cells),
      partial(1, n + 1, until),
    ])
    const shown = (unproven: string | undefined) => {
      const { restricted } = drive({
        operator: releaseOperator({ register, unproven: () => unproven }),
        partials: sent,
      })
      return windows.slice(0, 3).map(({ window }) => {
        const told = restricted.find((each) => each.window === window && each.channel === 'import')
        return [told?.energyWh, told?.count, told?.suppressed]
      })
    }
    const told = [600_000, 3_000, null]
    const nothing = [null, null, 'unproven']
    assert.deepEqual(shown(undefined), [told, told, told])
    assert.deepEqual(shown('2026-01-15'), [nothing, nothing, told])
  })

  it('stays declared once it stands in the state, whatever the file says later', () => {
    let declared: string | undefined = '2026-01-15'
    const operator = releaseOperator({ unproven: () => declared })
    const { ledger } = drive({
      operator,
      partials,
      batches: [4],
      fate: (transaction) => {
        if (transaction === 20) declared = undefined
        return transaction % 10 === 9 ? 'commit and die' : 'commit'
      },
    })
    assert.ok(shownIn(ledger).size > 0, 'the next day is released')
    const first = sealsOf(ledger).filter(({ date }) => date === '2026-01-15')
    assert.equal(shownIn(first).size, 0)
  })

  it('withholds the late values of a day whose preliminary ones are proven', () => {
    const half = 26 * 2
    const before = drive({ operator: releaseOperator(), partials: partials.slice(0, half), batches: [4] })
    const state = releaseOperator({ unproven: () => '2026-01-15' }).restore(
      [...before.rows].map(([row, body]) => ({ row, body })),
      before.ledger,
    )
    const day = state.days.get('2026-01-15')
    assert.ok(day)
    assert.ok(day.plan.groups.every(({ withheld }) => withheld !== null))
    assert.deepEqual(day.charge, 'open')
  })
})
