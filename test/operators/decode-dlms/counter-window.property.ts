import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  judgeCounter,
  type ReplayVerdict,
  recordCounter,
  windowWidth,
} from '../../../operators/decode-dlms/counter-window.ts'

const cases = Number(process.env.MV_CASES ?? 2_000)

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

test('the packed window agrees with a map of everything accepted, in any order of counters', () => {
  const step = fc.record({
    jump: fc.oneof(fc.integer({ min: -200, max: 4 }), fc.integer({ min: -20, max: 300 })),
    digest: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 2 ** 32 - 20_000 }), (steps, start) => {
      const truth = model()
      let window: Uint8Array | undefined
      let at = start + 200
      for (const { jump, digest } of steps) {
        const counter = Math.max(0, at + jump)
        const verdict = judgeCounter(window, 7, counter, digest)
        assert.equal(verdict, truth.judge(counter, digest))
        if (verdict !== 'fresh') continue
        window = recordCounter(window, 7, counter, digest)
        truth.record(counter, digest)
        at = Math.max(at, counter)
      }
    }),
    { numRuns: cases },
  )
})

test('a new meter or key starts a new window', () => {
  const window = recordCounter(undefined, 7, 1_000, 1)
  assert.equal(judgeCounter(window, 7, 1, 1), 'replayed')
  assert.equal(judgeCounter(window, 8, 1, 1), 'fresh')
})
