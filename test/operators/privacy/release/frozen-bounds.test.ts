// Bounds are frozen with the day: values that were bounded to more than the day has noise for are never released.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unpackRecords } from '../../../../operators/privacy/ledger/packed-records.ts'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../../schemas/load-partial.ts'
import type { Level } from '../../../../schemas/register-entry.ts'
import { topics } from '../../../../schemas/topics.ts'
import { checkRelease } from '../../../helpers/release-checker.ts'
import { type DriveOptions, drive, drivePublish } from '../../../helpers/release-driver.ts'
import { cell, partial, publicCodec, releaseOperator } from '../../../helpers/release-fixtures.ts'

const clip: Readonly<Record<Level, number>> = defaultPolicy.clipWhPerHalfHour
const wider = { ...clip, substation: clip.substation + 1 }
const narrower = { ...clip, utility: 1 }
const clock = (day: number, half: number): string => {
  const time = `${String(Math.floor(half / 2)).padStart(2, '0')}:${half % 2 === 0 ? '00' : '30'}`
  return `2026-01-${day}T${time}`
}

/** Two days of one value per half hour; `clipOf` says to what the batch of a half hour was bounded. */
function run(clipOf: (half: number) => LoadPartial['clipWh'], options: Partial<DriveOptions> = {}) {
  const partials = Array.from({ length: 96 }, (_, n): LoadPartial[] => {
    const [day, half] = [15 + Math.floor(n / 48), n % 48]
    const cells = half < 47 ? [cell(clock(day, half), 10)] : []
    const batch = partial(0, n + 1, clock(day, half + 1 === 48 ? half : half + 1), cells)
    return [{ ...batch, clipWh: clipOf(n) }, partial(1, n + 1, batch.progress)]
  }).flat()
  return drive({ operator: releaseOperator(), partials, ...options })
}

/** Released values of feeder-1, by start of the window. */
function valuesOf(ledger: readonly LedgerRecord[]): Map<string, number | null> {
  const values = new Map<string, number | null>()
  for (const link of ledger) {
    if (link.kind !== 'seal' || link.channel !== 'import' || link.phase !== 'preliminary') continue
    for (const { bytes } of unpackRecords(link.records, link.hash, link.count)) {
      const { group, rawWh, flags } = publicCodec.decode(bytes)
      if (group !== 'feeder-1') continue
      assert.equal(flags.includes('withheld_unproven'), rawWh === null)
      values.set(new Date(link.window + 3_600_000).toISOString().slice(0, 16), rawWh)
    }
  }
  return values
}

const isShown = (values: ReadonlyMap<string, number | null>, from: string, to: string): boolean[] => [
  ...new Set([...values].filter(([window]) => window >= from && window < to).map(([, value]) => value !== null)),
]

describe('the bounds of a day', () => {
  for (const [what, clipWh] of [
    ['those it was charged for', clip],
    ['narrower', narrower],
    ['not stated', undefined],
  ] as const) {
    it(`are kept where values were bounded to ${what}`, () => {
      assert.deepEqual(isShown(valuesOf(run(() => clipWh).ledger), '2026-01-15', '2026-01-16T23'), [true])
    })
  }

  it('withhold the day from the first value on that was bounded to more, and no other day', () => {
    // From noon on [readings] runs with wider bounds, until midnight.
    const log = run((n) => (n >= 24 && n < 48 ? wider : clip))
    const values = valuesOf(log.ledger)
    assert.deepEqual(isShown(values, '2026-01-15', '2026-01-15T11'), [true])
    assert.deepEqual(isShown(values, '2026-01-15T12', '2026-01-16'), [false])
    assert.deepEqual(isShown(values, '2026-01-16', '2026-01-16T23'), [true])
    const late = log.ledger.filter(
      (link) => link.kind === 'seal' && link.phase === 'late' && link.date === '2026-01-15',
    )
    for (const link of late) {
      if (link.kind !== 'seal') continue
      for (const { bytes } of unpackRecords(link.records, link.hash, link.count)) {
        assert.equal(publicCodec.decode(bytes).rawWh, null)
      }
    }
    const { cap } = resolvePolicy(defaultPolicy)
    const published = drivePublish(log.ledger)
    assert.deepEqual(checkRelease({ ledger: log.ledger, published, codec: publicCodec, cap }), [])
  })

  it('withhold the same whether somebody sent a late value or nobody did', () => {
    // From one o'clock on [readings] runs with wider bounds, while late values of the day before still count.
    const flagsOf = (cells: LoadPartial['cells']) => {
      const steps: readonly (readonly [string, LoadPartial['cells'], LoadPartial['clipWh']])[] = [
        ['2026-01-15T00:10', [], clip],
        ['2026-01-15T12:00', [cell('2026-01-15T10:00', 500)], clip],
        ['2026-01-16T01:00', [], clip],
        ['2026-01-16T02:00', cells, wider],
        ['2026-01-16T07:00', [], wider],
      ]
      const partials = steps.flatMap(([until, own, clipWh], n): LoadPartial[] => [
        { ...partial(0, n + 1, until, own), clipWh },
        { ...partial(1, n + 1, until), clipWh },
      ])
      const { ledger } = drive({ operator: releaseOperator(), partials })
      return drivePublish(ledger).map(({ bytes }) => {
        const { group, window, phase, flags } = publicCodec.decode(bytes)
        return [group, window, phase, flags.filter((flag) => flag === 'withheld_unproven')]
      })
    }
    const none = flagsOf([])
    assert.deepEqual(flagsOf([cell('2026-01-15T20:00', 300, { phase: 'late' })]), none)
    assert.ok(none.some(([, , phase, flags]) => phase === 'final' && (flags as readonly string[]).length > 0))
  })

  it('withhold the same whether the first batch of a day brought something of it or nothing', () => {
    // Stopped over midnight, [load] reads what waits in one batch: the day that is new in it was bounded to more.
    const shownOf = (cells: LoadPartial['cells'], from: number) => {
      const steps: readonly (readonly [string, LoadPartial['cells'], LoadPartial['clipWh']])[] = [
        ['2026-01-15T00:10', [], clip],
        ['2026-01-15T23:50', [], clip],
        ['2026-01-16T01:10', cells, wider],
        ['2026-01-16T02:10', [], wider],
      ]
      const partials = steps.slice(from).flatMap(([until, own, clipWh], n): LoadPartial[] => [
        { ...partial(0, n + 1, until, own), clipWh },
        { ...partial(1, n + 1, until), clipWh },
      ])
      const { ledger } = drive({ operator: releaseOperator(), partials, batches: [2] })
      return [...valuesOf(ledger)].map(([window, value]) => [window, value !== null] as const)
    }
    for (const from of [0, 2]) {
      const none = shownOf([], from)
      assert.deepEqual(shownOf([cell('2026-01-16T00:00', 300)], from), none)
      const onNewDay = none.filter(([window]) => window >= '2026-01-16').map(([, shown]) => shown)
      assert.deepEqual([...new Set(onNewDay)], [false])
      assert.ok(onNewDay.length > 1)
    }
  })

  it('stay so through restarts', () => {
    const calm = valuesOf(run((n) => (n === 24 ? wider : clip)).ledger)
    const rough = valuesOf(
      run((n) => (n === 24 ? wider : clip), { fate: (n) => (n % 5 === 4 ? 'commit and die' : 'commit') }).ledger,
    )
    const shown = (values: typeof calm) => [...values].map(([window, value]) => [window, value !== null])
    assert.deepEqual(shown(rough), shown(calm))
    assert.deepEqual(isShown(calm, '2026-01-15T12', '2026-01-16'), [false])
  })

  it('travel with each batch, and are read as not stated from batches of before', () => {
    const { encode, decode } = topics.loadPartials.codec
    const stated = { ...partial(0, 1, clock(15, 0)), clipWh: wider }
    assert.deepEqual(decode(encode(stated)), stated)
    assert.deepEqual(decode(encode(partial(0, 1, clock(15, 0)))), partial(0, 1, clock(15, 0)))
  })
})
