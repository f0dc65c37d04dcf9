import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Published } from '../../../operators/contract/published.ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import { chargeDay } from '../../../operators/privacy/release/charge.ts'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { policyEpochs } from '../../../operators/privacy/release/policy-epochs.ts'
import { sealWindow } from '../../../operators/privacy/release/seal.ts'
import type { ReleaseState } from '../../../operators/privacy/release/state.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { checkRelease } from '../../helpers/release-checker.ts'
import { type DriveOptions, drive, drivePublish, type Fate } from '../../helpers/release-driver.ts'
import { countingNoise, domain, publicCodec, releaseOptions, zeroNoise } from '../../helpers/release-fixtures.ts'
import {
  interleave,
  type JournalEntry,
  journalDate,
  journalOperator,
  journalPolicy,
  type PhaseRule,
  partialsOf,
  phaseOf,
  trueDigests,
} from '../../helpers/release-journal.ts'

const { cap } = resolvePolicy(journalPolicy)

const entry = (hour: number, delay: number, wh: number, rest: Partial<JournalEntry> = {}): JournalEntry => ({
  source: hour % 2,
  hour,
  delay,
  channel: 'import',
  feeder: 'feeder-1',
  wh,
  ...rest,
})

/** Values in time, at the edges of the grace, late within a slow source, and beyond the cut-off. */
const journal: readonly JournalEntry[] = [
  entry(0, 1, 100),
  entry(0, 19, 200, { source: 1 }),
  entry(0, 20, 400),
  entry(5, 2, 50, { channel: 'export', feeder: 'feeder-2' }),
  entry(9, 300, 70),
  entry(9, 301, 30, { source: 0 }),
  entry(17, 3, 900),
  entry(23, 359, 11),
  entry(23, 360, 13),
]

const partials = (rule?: PhaseRule) => interleave(partialsOf(journal, [1, 2], rule), [0, 0, 1])

const digestsOfDay = (ledger: readonly LedgerRecord[]) => {
  const truth = new Map(trueDigests(journal))
  // Windows of the day after are sealed empty; the journal says nothing about them.
  for (const link of ledger) {
    if (link.kind === 'seal' && link.date !== journalDate) {
      truth.set(`${new Date(link.window).toISOString()} ${link.channel} ${link.phase}`, link.digest)
    }
  }
  return truth
}

const check = (ledger: readonly LedgerRecord[], published: readonly Published<LoadPublic>[]): string[] =>
  checkRelease({ ledger, published, codec: publicCodec, cap, digests: digestsOfDay(ledger) })

const run = (rest: Partial<DriveOptions> = {}) =>
  drive({ operator: journalOperator({ noise: countingNoise() }), partials: partials(), ...rest })

const once =
  (transaction: number, fate: Fate) =>
  (n: number): Fate =>
    n === transaction ? fate : 'commit'

describe('a release under faults', () => {
  const calm = run()

  it('keeps every promise when nothing goes wrong', () => {
    assert.deepEqual(check(calm.ledger, drivePublish(calm.ledger)), [])
  })

  for (const fate of ['lose', 'commit and die'] as const) {
    it(`keeps every promise when any one transaction is to ${fate}`, () => {
      for (let n = 0; n < calm.transactions; n++) {
        for (const rows of ['every', 'emitting'] as const) {
          const log = run({ fate: once(n, fate), rows })
          assert.deepEqual(check(log.ledger, []), [], `transaction ${n}`)
        }
      }
    })

    it(`commits the very same ledger and rows when any one transaction is to ${fate} and there is no noise`, () => {
      const still = (options: Partial<DriveOptions> = {}) =>
        run({ operator: journalOperator({ noise: zeroNoise }), ...options })
      const undisturbed = still()
      for (let n = 0; n < undisturbed.transactions; n++) {
        const log = still({ fate: once(n, fate) })
        assert.deepEqual(log.ledger, undisturbed.ledger, `transaction ${n}`)
        assert.deepEqual(log.rows, undisturbed.rows, `transaction ${n}`)
      }
    })

    it(`shows one set of bytes when any one transaction of publishing is to ${fate}`, () => {
      const wanted = drivePublish(calm.ledger)
      for (let n = 0; n < 20; n++) {
        const visible = drivePublish(calm.ledger, once(n, fate))
        assert.deepEqual(check(calm.ledger, visible), [], `transaction ${n}`)
        const distinct = new Set(visible.map(({ bytes }) => Buffer.from(bytes).toString('hex')))
        assert.equal(distinct.size, wanted.length)
      }
    })
  }

  it('draws again only for what was never committed', () => {
    const log = run({ fate: (n) => (n % 3 === 1 ? 'lose' : 'commit') })
    assert.ok(log.attempted.length > log.ledger.length, 'the fault did not bite')
    const committed = new Set(log.ledger.map(({ hash }) => Buffer.from(hash).toString('hex')))
    const visible = drivePublish(log.ledger).map(({ bytes }) => Buffer.from(publicCodec.decode(bytes).ledgerHash))
    for (const hash of visible) assert.ok(committed.has(hash.toString('hex')))
  })
})

describe('the checker finds', () => {
  it('noise drawn again on replay and shown both times', () => {
    // Publishing from what was emitted instead of from what was committed.
    const log = run({ fate: (n) => (n % 3 === 1 ? 'lose' : 'commit') })
    assert.ok(log.attempted.length > log.ledger.length, 'the fault did not bite')
    const shown = log.attempted.flatMap(sealedCopies)
    const found = check(log.ledger, shown)
    assert.ok(found.some((violation) => violation.includes('visible with two sets of bytes')))
  })

  it('a seal before its charge', () => {
    const options = { ...releaseOptions(), policyOn: policyEpochs(journalPolicy).on }
    const state = unchargedState()
    const day = state.days.get(journalDate)!
    const sealed = sealWindow(state, day, day.seals.preliminary[0]!, options)
    const ledger = sealed.flatMap((output) => (output.to === 'ledger' ? [output.record] : []))
    ledger.push(...chargeDay(state, day, domain))
    assert.ok(check(ledger, drivePublish(ledger)).some((violation) => violation.includes('before its day was charged')))
  })

  it('a second seal of one window after a restore', () => {
    const forget = (state: ReleaseState): void => {
      for (const day of state.days.values()) day.sealed.preliminary = Math.max(0, day.sealed.preliminary - 1)
    }
    const operator = journalOperator()
    const careless = {
      ...operator,
      restore: (rows: Parameters<typeof operator.restore>[0], history: readonly unknown[]) => {
        const state = operator.restore(rows, history)
        forget(state)
        return state
      },
    }
    // Dies once, in the middle of the day; the rows it wrote before agree with the ledger.
    const log = run({ operator: careless, fate: once(14, 'commit and die') })
    assert.ok(check(log.ledger, []).some((violation) => violation.includes('sealed twice')))
  })

  it('a phase that follows the progress of the worker instead of the value', () => {
    const byProcessing: PhaseRule = (each, progressBefore) => {
      const due = Date.parse(`${journalDate}T00:00+01:00`) + (each.hour + 1) * 3_600_000 + 1_200_000
      const phase = phaseOf(each)
      return phase && progressBefore < due ? 'preliminary' : phase && 'late'
    }
    const log = run({ partials: partials(byProcessing) })
    assert.ok(check(log.ledger, []).some((violation) => violation.includes('other sums than it should')))
  })

  it('a day charged twice, or above the cap', () => {
    const { ledger } = run()
    const charge = ledger[0]!
    assert.ok(charge.kind === 'charge')
    assert.ok(check([...ledger, charge], []).some((violation) => violation.includes('charged twice')))
    const dear = { ...charge, charges: [...charge.charges, ...charge.charges] }
    assert.ok(check([dear, ...ledger.slice(1)], []).some((violation) => violation.includes('above the cap')))
  })

  it('a public record that differs from its seal, has none, or states another cost', () => {
    const { ledger } = run()
    const copies = drivePublish(ledger)
    const [first] = copies
    const record = publicCodec.decode(first!.bytes)
    const shown = (changed: LoadPublic, timestamp = first!.timestamp): string[] =>
      check(ledger, [{ ...first!, bytes: publicCodec.encode(changed), timestamp }])
    assert.deepEqual(shown(record), [])
    assert.match(shown({ ...record, rawWh: 1 }).join(), /differs from its seal/)
    assert.match(shown({ ...record, ledgerSeq: 1 }).join(), /without a committed seal/)
    assert.match(shown({ ...record, privacy: { ...record.privacy, rho: '1/9' } }).join(), /another cost/)
    assert.match(shown(record, 0).join(), /does not carry its tick/)
  })
})

/** A state with an open day that nothing was charged for. */
function unchargedState(): ReleaseState {
  const log = drive({ operator: journalOperator(), partials: partials().slice(0, 2) })
  const operator = journalOperator()
  const state = operator.restore(
    [...log.rows].map(([row, body]) => ({ row, body })),
    log.ledger,
  )
  state.head = { seq: 0, hash: new Uint8Array(32) }
  state.days.get(journalDate)!.charge = 'none'
  return state
}

function sealedCopies(link: LedgerRecord): readonly Published<LoadPublic>[] {
  if (link.kind !== 'seal') return []
  return unpackRecords(link.records, link.hash, link.count).map((record) => ({ ...record, timestamp: link.tick }))
}
