// The work for one unit is bounded by its length, in steps that are counted and not timed: see test/helpers/dlms-steps.ts.
//
// Decoding takes at most 600,000 + 10 steps a byte. The fixed part is the node budget of one message (32,768 nodes, six steps each), spent up to three
// times: on a value, on the same bytes as an untagged list, and on a last value of that list that goes past the budget. Cutting a stream takes at most
// 20 steps a byte. Real frames and their mutants stay far below: 3,000 + 20 steps a byte without any help from the budget.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { caseCount, checkCases } from '../../helpers/dlms-cases.ts'
import { stepCounter } from '../../helpers/dlms-steps.ts'

// Blocks are counted in code that is compiled from now on, so the decoder is loaded after this.
const counter = stepCounter('/operators/decode-dlms/')
const { hostileBytes, hostileStreams, hostileUnits } = await import('../../../bench/operators/hostile-units.ts')
const { decode } = await import('../../../operators/decode-dlms/decode.ts')
const { framer } = await import('../../../operators/decode-dlms/wire/framer.ts')
const { checkOutcome } = await import('../../helpers/dlms-outcome.ts')
const { mutantOf } = await import('../../helpers/dlms-mutants.ts')
const { bytesOf, frameById } = await import('./frames.ts')
const { plainContext } = await import('./make.ts')

type Decode = typeof decode

const decodeBound = (bytes: number): number => 600_000 + 10 * bytes
const framerBound = (bytes: number): number => 1_000 + 20 * bytes
const usualBound = (bytes: number): number => 3_000 + 20 * bytes

describe('the work for one unit', () => {
  after(() => counter.close())

  for (const { name, context, unit } of hostileUnits()) {
    it(`is bounded for ${name}`, () => {
      let decoded: ReturnType<Decode> | undefined
      const steps = counter.stepsOf(() => {
        decoded = decode(unit, context)
      })
      assert.ok(steps <= decodeBound(unit.length), `${steps} steps for ${unit.length} bytes`)
      assert.ok(unit.length <= hostileBytes && decoded !== undefined)
      checkOutcome(decoded, unit)
    })
  }

  for (const { name, framing, bytes } of hostileStreams()) {
    it(`is bounded for a stream of ${name}, whole and byte by byte`, () => {
      const whole = framer(framing)
      const steps = counter.stepsOf(() => {
        whole.push(bytes)
        whole.end()
      })
      assert.ok(steps <= framerBound(bytes.length), `${steps} steps for ${bytes.length} bytes at once`)
      const single = framer(framing)
      const more = counter.stepsOf(() => {
        for (let at = 0; at < bytes.length; at++) single.push(bytes.subarray(at, at + 1))
        single.end()
      })
      // Each push looks at the header of the frame that waits, whose length is fixed.
      assert.ok(more <= 4 * framerBound(bytes.length), `${more} steps for ${bytes.length} bytes one by one`)
    })
  }

  it('is far below that for mutants, in lots of a hundred', () => {
    checkCases(
      decode,
      (subject, random) => {
        const mutants = Array.from({ length: 100 }, () => mutantOf(random))
        let most = 0
        for (const { units } of mutants) for (const unit of units) most += usualBound(unit.length)
        const steps = counter.stepsOf(() => {
          for (const { context, units } of mutants) for (const unit of units) subject(unit, context)
        })
        assert.ok(steps <= most, `${steps} steps where ${most} are allowed`)
      },
      Math.ceil(caseCount() / 100),
      6,
    )
  })

  it('is found to be too much where a decoder reads a frame once more for each of its bytes', () => {
    const frame = bytesOf(frameById('ams-gh1119-1'))
    const once = counter.stepsOf(() => void decode(frame, plainContext('hdlc')))
    assert.ok(once <= usualBound(frame.length), `${once} steps`)
    const steps = counter.stepsOf(() => {
      for (let k = 0; k < frame.length; k++) decode(frame, plainContext('hdlc'))
    })
    assert.ok(steps > usualBound(frame.length), `${steps} steps`)
  })

  it('is found to be too much where every value of a list has the whole budget for itself', () => {
    const swelling = hostileUnits().find(({ name }) => name.startsWith('a compact array one byte'))
    assert.ok(swelling)
    const steps = counter.stepsOf(() => {
      for (let k = 0; k < 100; k++) decode(swelling.unit, swelling.context)
    })
    assert.ok(steps > decodeBound(swelling.unit.length), `${steps} steps`)
  })
})
