import assert from 'node:assert/strict'
import test from 'node:test'
import { checkReadings, createFleet, type Fleet, type Verdict, verdictText } from '../../../bench/fleet/index.ts'
import type { HouseholdReading } from '../../../schemas/household-reading.ts'
import { type ModelOutcome, runModel } from './model-pipeline.ts'

const faults = { corrupt: 0.03, replayed: 0.02, restated: 0.02, unknown: 0.01, tooLate: 0.01, wrongKeyMeters: 0.1 }

function makeFleet(): Fleet {
  return createFleet({ seed: 21, homes: 40, days: 2, start: Date.UTC(2026, 0, 13), faults, homeMix: { solar: 0.2 } })
}

function replaceReading(outcome: ModelOutcome, at: number, change: (reading: HouseholdReading) => HouseholdReading[]) {
  outcome.readings.splice(at, 1, ...change(outcome.readings[at] as HouseholdReading))
}

const changeInterval = (reading: HouseholdReading, change: Partial<HouseholdReading['intervals'][number]>) => {
  const [first, ...rest] = reading.intervals
  return { ...reading, intervals: [{ ...(first as HouseholdReading['intervals'][number]), ...change }, ...rest] }
}

/** Bugs of a pipeline, each with the finding that must show it. */
const planted: readonly {
  readonly name: string
  readonly bug: (outcome: ModelOutcome, fleet: Fleet) => void
  readonly shows: (verdict: Verdict) => boolean
}[] = [
  {
    name: 'a reading is dropped',
    bug: (outcome) => replaceReading(outcome, 100, () => []),
    shows: ({ lost }) => lost.count >= 1 && lost.examples.every((seq) => seq >= 0),
  },
  {
    name: 'a reading is written twice',
    bug: (outcome) => replaceReading(outcome, 100, (reading) => [reading, reading]),
    shows: ({ duplicate }) => duplicate.count >= 1,
  },
  {
    name: 'a value is altered by one watt-hour',
    bug: (outcome) =>
      replaceReading(outcome, 100, (reading) => [
        changeInterval(reading, { energyWh: (reading.intervals[0]?.energyWh ?? 0) + 1 }),
      ]),
    shows: ({ wrong }) => wrong.count === 1,
  },
  {
    name: 'a reading carries the next day’s date',
    bug: (outcome) => replaceReading(outcome, 100, (reading) => [{ ...reading, date: '2026-01-14' }]),
    shows: ({ wrong }) => wrong.count >= 1,
  },
  {
    name: 'a reading stands under the pseudonym of the next day',
    bug: (outcome, fleet) =>
      replaceReading(outcome, 100, (reading) => {
        const home = findHome(fleet, outcome, reading)
        return [{ ...reading, pseudonym: outcome.pseudonymOf(fleet.journal.connectionOf(home), '2026-01-14') }]
      }),
    shows: ({ wrong }) => wrong.count >= 1,
  },
  {
    name: 'a reading stands under a pseudonym of nobody',
    bug: (outcome) => replaceReading(outcome, 100, (reading) => [{ ...reading, pseudonym: new Uint8Array(16) }]),
    shows: ({ unexpected, lost }) => unexpected.count >= 1 && lost.count >= 1,
  },
  {
    name: 'an interval has another length',
    bug: (outcome) => replaceReading(outcome, 100, (reading) => [changeInterval(reading, { durationSeconds: 900 })]),
    shows: ({ wrong }) => wrong.count === 1,
  },
  {
    name: 'an interval is moved by an hour',
    bug: (outcome) =>
      replaceReading(outcome, 100, (reading) => [
        changeInterval(reading, { start: (reading.intervals[0]?.start ?? 0) + 3_600_000 }),
      ]),
    shows: ({ lost, duplicate, wrong }) => lost.count + duplicate.count + wrong.count >= 2,
  },
  {
    name: 'a reading is invented for an interval that never arrived',
    bug: (outcome, fleet) => {
      const { journal } = fleet
      const slot = Array.from({ length: journal.slots }, (_, i) => i).find(
        (i) => journal.expectation(missingHome(fleet), i) === 'absent',
      )
      const date = journal.dateOf(slot as number)
      const start = journal.start + (slot as number) * journal.intervalMs
      outcome.readings.push({
        ...(outcome.readings[0] as HouseholdReading),
        pseudonym: outcome.pseudonymOf(journal.connectionOf(missingHome(fleet)), date),
        date,
        intervals: [{ channel: 'import', start, durationSeconds: 1_800, energyWh: 1, quality: 0 }],
      })
    },
    shows: ({ unexpected }) => unexpected.count === 1,
  },
  {
    name: 'a counter misses one accepted frame',
    bug: ({ counts }) => {
      counts.accepted--
    },
    shows: ({ closure }) => !closure.closes,
  },
  {
    name: 'a frame is not read at all',
    bug: ({ counts }) => {
      counts.accepted--
      counts.received--
    },
    shows: ({ closure }) => !closure.closes,
  },
  {
    name: 'a duplicate is counted as accepted',
    bug: ({ counts }) => {
      counts.accepted++
      counts.dropped['duplicate'] = (counts.dropped['duplicate'] ?? 0) - 1
    },
    shows: ({ reasons }) => reasons.some(({ reason, ok }) => reason === 'accepted' && !ok),
  },
  {
    name: 'a refused frame leaves no record',
    bug: ({ rejected }) => {
      rejected.pop()
    },
    shows: ({ reasons }) => reasons.some(({ ok }) => !ok),
  },
  {
    name: 'a wrong key is reported as an unknown meter',
    bug: ({ rejected, counts }, { journal }) => {
      const at = rejected.findIndex(({ offset }) => journal.sighting(offset).kind === 'wrong-key')
      rejected.splice(at, 1, { ...(rejected[at] as ModelOutcome['rejected'][number]), reason: 'meter_unknown' })
      counts.rejected['authentication_failed'] = (counts.rejected['authentication_failed'] ?? 0) - 1
      counts.rejected['meter_unknown'] = (counts.rejected['meter_unknown'] ?? 0) + 1
    },
    shows: ({ misjudged }) => misjudged.count === 1,
  },
]

function findHome(fleet: Fleet, outcome: ModelOutcome, reading: HouseholdReading): number {
  const wanted = Buffer.from(reading.pseudonym)
  for (let home = 0; home < fleet.journal.homes; home++) {
    if (wanted.equals(outcome.pseudonymOf(fleet.journal.connectionOf(home), reading.date))) return home
  }
  return assert.fail('no home has that pseudonym')
}

function missingHome({ journal }: Fleet): number {
  for (let home = 0; home < journal.homes; home++) {
    for (let slot = 0; slot < journal.slots; slot++) if (journal.expectation(home, slot) === 'absent') return home
  }
  return assert.fail('every interval arrived')
}

test('the checker passes what a correct pipeline did', () => {
  const fleet = makeFleet()
  const verdict = checkReadings(fleet.journal, runModel(fleet))
  assert.ok(verdict.ok, verdictText(verdict))
  assert.match(verdictText(verdict), /^PASS: \d+ intervals found, \d+ required; lost 0, /)
})

for (const { name, bug, shows } of planted) {
  test(`the checker notices when ${name}`, () => {
    const fleet = makeFleet()
    const outcome = runModel(fleet)
    bug(outcome, fleet)
    const verdict = checkReadings(fleet.journal, outcome)
    assert.equal(verdict.ok, false)
    assert.ok(shows(verdict), verdictText(verdict))
    assert.match(verdictText(verdict), /^FAIL: /)
  })
}

test('a verdict names no meter', () => {
  const fleet = makeFleet()
  const outcome = runModel(fleet)
  outcome.readings.splice(50, 20)
  const text = JSON.stringify(checkReadings(fleet.journal, outcome))
  for (const { connection, point, systemTitle } of fleet.entries) {
    for (const secret of [connection, point, systemTitle]) assert.equal(text.includes(secret), false)
  }
})
