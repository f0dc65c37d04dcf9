import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CrashRun, type Operation, runCrash } from './crash-run.ts'

const partition = fc.nat(2)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('append' as const), partition, count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('transact' as const),
      partitions: fc.array(partition, { maxLength: 4 }),
      sends: fc.integer({ min: 1, max: 2 }),
      end: fc.constantFrom('commit' as const, 'commit' as const, 'abort' as const, 'leave' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), key: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant<Operation>({ do: 'compact' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const), partition }) },
)
const run = {
  clients: fc.array(fc.array(operation, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
  segmentBytes: fc.constantFrom(1, 200, 100_000),
  controlBytes: fc.constantFrom(1, 2_000, 100_000),
  strikeAt: fc.integer({ min: 1, max: 80 }),
  fault: fc.constantFrom('before' as const, 'half' as const, 'after' as const),
  forGood: fc.boolean(),
  choices: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 }),
}
// Each case writes, damages and reopens a folder: a fiftieth of the usual number.
const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 5_000) / 50)

test('a kill at any moment loses nothing acknowledged and shows nothing by halves, whatever the fsync policy', async () => {
  const runs: fc.Arbitrary<CrashRun> = fc.record({
    ...run,
    fsync: fc.constantFrom('commit' as const, 'none' as const),
    ending: fc.constant('kill' as const),
  })
  await fc.assert(fc.asyncProperty(runs, runCrash), { numRuns })
})

test('neither does a power cut, with fsync at each commit', async () => {
  const runs: fc.Arbitrary<CrashRun> = fc.record({
    ...run,
    fsync: fc.constant('commit' as const),
    ending: fc.constant('power cut' as const),
  })
  await fc.assert(fc.asyncProperty(runs, runCrash), { numRuns })
})

test('these checks notice a disk that only says that it has synced', async () => {
  const planted = fc.record({
    ...run,
    fsync: fc.constant('commit' as const),
    ending: fc.constant('power cut' as const),
    lyingDisk: fc.constant(true),
  })
  const property = fc.asyncProperty(planted, runCrash)
  const { failed } = await fc.check(property, { numRuns: 200, seed: 1, endOnFailure: true })
  assert.ok(failed)
})
