import { after, afterEach, before, describe } from 'node:test'
import { fencingTests } from './log-fencing.ts'
import { groupTests } from './log-groups.ts'
import type { LogHarness } from './log-harness.ts'
import { readingTests } from './log-reading.ts'
import { transactionTests } from './log-transactions.ts'

/**
 * What every implementation of the Log port does, as observed on Apache Kafka 4: registers the tests for one of them.
 * `make` is called once. Nothing here relies on the log being in this process. With `stopAfterFailure` a failing test
 * takes the rest with it, where waiting for each is of no use.
 */
export function logConformance(
  name: string,
  make: () => Promise<LogHarness>,
  { stopAfterFailure = false }: { readonly stopAfterFailure?: boolean } = {},
): void {
  describe(`${name} is a log`, { concurrency: 1 }, () => {
    let harness: LogHarness | undefined
    before(async () => {
      harness = await make()
    })
    after(async () => {
      await harness?.close()
    })
    let failed = false
    afterEach((context) => {
      failed ||= 'passed' in context && context.passed === false
    })
    const get = (): LogHarness => {
      if (failed && stopAfterFailure) throw new Error('an earlier test has failed')
      if (harness === undefined) throw new Error('the harness did not start')
      return harness
    }
    describe('reading and appending', () => readingTests(get))
    describe('transactions', () => transactionTests(get))
    describe('fencing', () => fencingTests(get))
    describe('groups', () => groupTests(get))
  })
}
