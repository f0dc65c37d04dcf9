import type { BatchFacts, Observer } from '../../../operators/contract/observer.ts'

/** One batch in which everything happens that a metric counts. */
export const busyBatch: BatchFacts = {
  records: 10,
  seconds: 0.02,
  fates: new Map([
    ['emitted', 6],
    ['rejected:fcs_mismatch', 1],
    ['dropped:duplicate', 2],
    ['forwarded', 1],
  ]),
  operators: new Map([
    [
      'decodeDlms',
      {
        received: 10,
        emitted: 8,
        dropped: new Map([['duplicate', 1]]),
        rejected: new Map([['fcs_mismatch', 1]]),
        seconds: 0.01,
      },
    ],
  ]),
  sent: new Map([['household.readings', { records: 6, bytes: 900 }]]),
  progress: 1_700_000_000_000,
}

/** Reports everything that can be reported, once. */
export function reportEverything(observer: Observer): void {
  observer.assignment('readings', 3, 'assigned')
  observer.assignment('readings', 3, 'running')
  observer.batch('readings', 3, busyBatch)
  observer.transaction('readings', 'committed')
  observer.retry('readings', 3, new Error('secret-meter-4711'))
  observer.halted('readings', new Error('secret-meter-4711'))
}
