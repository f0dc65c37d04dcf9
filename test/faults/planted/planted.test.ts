import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ViewSnapshot } from '../../../connectors/memory/index.ts'
import { days } from '../../../operators/contract/clock.ts'
import { type ChaosOptions, chaos, type Moment } from '../../helpers/chaos.ts'
import {
  abortAndReuse,
  applyWithoutCompare,
  claimBeforeCommit,
  expectWhatTheViewSays,
  loseReplies,
  workerClock,
} from './wrong-ports.ts'

/** Kills [readings] at growing distances, at a step of its own. */
const killing = (step: Moment['step'], at: Moment['at']) => {
  let hits = 0
  return (moment: Moment) =>
    moment.pipeline === 'readings' && moment.step === step && moment.at === at && Number.isInteger(Math.sqrt(++hits))
}

const scopes = ['readings/0', 'readings/1']

/** Rolls the view back to what it was hours ago, again and again, as a store restored from an old snapshot would be. */
const rollingBack = (): NonNullable<ChaosOptions['disturb']> => {
  const old = new Map<string, ViewSnapshot>()
  return ({ view, step }) => {
    for (const scope of scopes) {
      const snapshot = old.get(scope)
      if (step % 12 === 6) old.set(scope, view.snapshot(scope))
      if (step % 12 === 11 && snapshot) view.restore(scope, snapshot)
    }
  }
}

interface Planted {
  readonly name: string
  /** The fault that the bug does not survive, and the sound runner does. */
  readonly fault: () => Partial<ChaosOptions>
  readonly bug: () => NonNullable<ChaosOptions['ports']>
}

const planted: readonly Planted[] = [
  {
    name: 'claim before commit',
    fault: () => ({ kill: killing('commit', 'before') }),
    bug: () => {
      let made: ReturnType<typeof claimBeforeCommit> | undefined
      return (ports, { log, view }) => {
        made ??= claimBeforeCommit(log, view)
        return { ...ports, ...made }
      }
    },
  },
  {
    name: 'apply without compare-and-set',
    fault: () => ({ disturb: rollingBack() }),
    bug: () => (ports) => ({ ...ports, view: applyWithoutCompare(ports.view) }),
  },
  {
    name: 'expected position taken from the view',
    // Only a batch that someone repeats shows that it was forgotten.
    fault: () => ({ kill: killing('apply', 'before'), faults: { duplicates: 0.6 } }),
    bug: () => {
      let made: ReturnType<typeof expectWhatTheViewSays> | undefined
      return (ports, { log, view }) => {
        made ??= expectWhatTheViewSays(log, view)
        return { ...ports, ...made }
      }
    },
  },
  {
    name: 'abort and reuse after a lost reply',
    fault: () => ({ ports: (ports, { log }) => ({ ...ports, log: loseReplies(log, 7) }) }),
    bug:
      () =>
      (ports, { log }) => ({ ...ports, log: abortAndReuse(loseReplies(log, 7)) }),
  },
  {
    name: 'lateness by the worker’s clock',
    fault: () => ({}),
    bug:
      () =>
      (ports, { log, clock }) => ({ ...ports, log: workerClock(log, clock.now, days(20)) }),
  },
]

for (const { name, fault, bug } of planted) {
  test(`the right protocol survives what catches: ${name}`, async () => {
    const result = await chaos({ seed: 11, ...fault() })
    assert.deepEqual(result.faults, [])
  })

  test(`the checker catches a planted bug: ${name}`, async () => {
    const found = await chaos({ seed: 11, ...fault(), ports: bug() }).then(
      ({ faults }) => faults,
      (error: Error) => [`halted: ${error.message}`],
    )
    assert.notDeepEqual(found, [])
  })
}
