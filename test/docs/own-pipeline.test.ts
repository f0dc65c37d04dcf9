import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operator } from '../../operators/contract/operator.ts'
import { pipeline } from '../../pipelines/runtime/index.ts'
import { testDriver } from '../../pipelines/testing/driver.ts'
import type { Topic } from '../../schemas/codec.ts'
import type { HouseholdReading } from '../../schemas/household-reading.ts'
import { topics } from '../../schemas/topics.ts'

// docs/data-engineer.md shows what stands between the two marks; test/docs/generated.test.ts compares.
// example: begin
/** Keeps the intervals of energy drawn from the grid. Pure: no clock, no I/O, no counters. */
const importOnly: Operator<HouseholdReading, HouseholdReading> = {
  spec: { name: 'importOnly', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const record of batch) {
      const intervals = record.value.intervals.filter(({ channel }) => channel === 'import')
      out.emit(record, { ...record.value, intervals })
    }
  },
}

const importReadings: Topic<HouseholdReading, 'pseudonymous'> = { ...topics.householdReadings, name: 'import.readings' }

const imports = pipeline('imports', topics.householdReadings, (readings) => {
  readings.through(importOnly).to(importReadings)
})

test('keeps import and drops export', async () => {
  const driver = await testDriver([imports])
  await driver.start()
  await driver.pipe(topics.householdReadings, [reading('import'), reading('export')])
  const kept = await driver.read(importReadings)
  assert.deepEqual(
    kept.map(({ intervals }) => intervals.length),
    [1, 0],
  )
  await driver.stop()
})
// example: end

function reading(channel: 'import' | 'export'): HouseholdReading {
  return {
    pseudonym: new Uint8Array(16),
    date: '2026-01-12',
    zone: 'north',
    area: '*',
    tariff: '*',
    heating: '*',
    dwelling: '*',
    intervals: [{ channel, start: Date.UTC(2026, 0, 12), durationSeconds: 1_800, energyWh: 250, quality: 0 }],
  }
}
