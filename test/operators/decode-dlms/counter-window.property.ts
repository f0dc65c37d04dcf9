import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  judgeCounter,
  type ReplayVerdict,
  recordCounter,
  windowBytes,
  windowWidth,
} from '../../../operators/decode-dlms/counter-window.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure } from '../../helpers/dlms-cases.ts'

interface Subject {
  readonly judge: typeof judgeCounter
  readonly record: typeof recordCounter
}

const real: Subject = { judge: judgeCounter, record: recordCounter }

/** The rule of the design as a plain model: a map of everything ever accepted, and the highest counter. */
function model() {
  const accepted = new Map<number, number>()
  let high = -1
  return {
    judge: (counter: number, digest: number): ReplayVerdict => {
      if (high - counter >= windowWidth) return 'replayed'
      const known = accepted.get(counter)
      if (known === undefined) return 'fresh'
      return high - counter >= 16 || known === digest ? 'duplicate' : 'replayed'
    },
    record: (counter: number, digest: number) => {
      accepted.set(counter, digest)
      high = Math.max(high, counter)
    },
  }
}

const agreesWithModel: CaseCheck<Subject> = ({ judge, record }, random) => {
  const truth = model()
  let window: Uint8Array | undefined
  // A third of the runs ends at the last counter there is.
  const start = random.chance(0.3) ? 2 ** 32 - 1 - random.below(400) : 300 + random.below(2 ** 32 - 20_000)
  let high = start
  for (let left = 1 + random.below(80); left > 0; left--) {
    const jump = random.chance(0.6) ? random.below(24) - 20 : random.below(500) - 200
    const counter = Math.min(2 ** 32 - 1, Math.max(0, high + jump))
    const digest = random.below(4)
    const verdict = judge(window, 7, counter, digest)
    assert.equal(verdict, truth.judge(counter, digest), `counter ${counter - start} from the start`)
    if (verdict !== 'fresh') continue
    const before = window?.slice()
    const next = record(window, 7, counter, digest)
    assert.deepEqual(window, before, 'the window before is changed')
    assert.equal(next.length, windowBytes)
    window = next
    truth.record(counter, digest)
    high = Math.max(high, counter)
  }
}

describe('the packed window of invocation counters', () => {
  it('agrees with a map of everything accepted, in any order of counters', () => {
    checkCases(real, agreesWithModel, caseCount(), 71)
  })

  it('starts anew for a new meter or key', () => {
    const window = recordCounter(undefined, 7, 1_000, 1)
    assert.equal(judgeCounter(window, 7, 1, 1), 'replayed')
    assert.equal(judgeCounter(window, 8, 1, 1), 'fresh')
    const renewed = recordCounter(window, 8, 1, 1)
    assert.equal(judgeCounter(renewed, 8, 1, 1), 'duplicate')
    assert.equal(judgeCounter(renewed, 8, 900, 1), 'fresh')
  })

  it('ends a key at its last counter', () => {
    const window = recordCounter(undefined, 7, 2 ** 32 - 1, 1)
    assert.equal(judgeCounter(window, 7, 2 ** 32 - 1, 1), 'duplicate')
    assert.equal(judgeCounter(window, 7, 0, 1), 'replayed')
  })

  const planted: readonly (readonly [string, Partial<Subject>])[] = [
    [
      'is one counter too narrow',
      {
        judge: (window, owner, counter, digest) =>
          judgeCounter(window, owner, counter - 1, digest) === 'replayed'
            ? 'replayed'
            : judgeCounter(window, owner, counter, digest),
      },
    ],
    [
      'takes an equal counter for a new one',
      {
        judge: (window, owner, counter, digest) => {
          const verdict = judgeCounter(window, owner, counter, digest)
          return verdict === 'duplicate' ? 'fresh' : verdict
        },
      },
    ],
    [
      'looks at no digest',
      {
        judge: (window, owner, counter, digest) => {
          const verdict = judgeCounter(window, owner, counter, digest)
          return verdict === 'replayed' && judgeCounter(window, owner, counter, digest ^ 1) === 'duplicate'
            ? 'duplicate'
            : verdict
        },
      },
    ],
    [
      'forgets what was seen when it moves on',
      { record: (_, owner, counter, digest) => recordCounter(undefined, owner, counter, digest) },
    ],
    [
      'moves back for a late counter',
      {
        record: (window, owner, counter, digest) => {
          const next = recordCounter(window, owner, counter, digest)
          next.set([counter >>> 24, counter >>> 16, counter >>> 8, counter], 4)
          return next
        },
      },
    ],
    [
      'writes into the window that it was given',
      {
        record: (window, owner, counter, digest) => {
          const next = recordCounter(window, owner, counter, digest)
          window?.set(next)
          return next
        },
      },
    ],
  ]
  for (const [what, change] of planted) {
    it(`is told from one that ${what}`, () => {
      assert.notEqual(firstFailure({ ...real, ...change }, agreesWithModel, 2_000, 71), -1)
    })
  }
})
