// Chi-square and Kolmogorov-Smirnov of every sampler family over secure bits, fresh in every run: ten million draws of each. A right sampler
// fails one of its tests with probability 1e-9 or less, and one of all of them with 2e-7 or less. `npm run nightly` does the same with 10^9 draws.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secureBits } from '../../src/random/secure.ts'
import { families } from '../nightly/families.ts'
import type { Family } from '../nightly/family.ts'
import { countDraws, failed, falseAlarm, verdictsOf } from '../nightly/goodness.ts'

const tenMillion = 10_000_000

const failures = (family: Family, draw: () => number, draws: number): readonly string[] =>
  failed(verdictsOf(family, countDraws(family, draw, draws)))

describe('goodness of fit over secure bits', () => {
  for (const family of families)
    it(`${family.name}, ten million draws`, (t) => {
      const verdicts = verdictsOf(family, countDraws(family, family.sampler(secureBits()), tenMillion))
      for (const { test, statistic, limit } of verdicts) {
        const line = `${test}: ${statistic.toPrecision(6)}, limit ${limit.toPrecision(6)}, false-alarm rate ${falseAlarm} at most`
        t.diagnostic(line)
        assert.ok(statistic <= limit, line)
      }
    })

  it('all of these tests together have a false-alarm rate of 2e-7 at most', () => {
    const tests = families.reduce((sum, { lowBits }) => sum + (lowBits ? 4 : 3), 0)
    assert.ok(tests * falseAlarm <= 2e-7)
  })
})

describe('goodness of fit finds planted bugs', () => {
  const draws = 500_000
  const named = (name: string): Family => families.find((family) => family.name === name)!
  const laplace = named('discrete Laplace of scale 1e5')
  const fresh = () => laplace.sampler(secureBits())

  it('and nothing where there is none', () => assert.deepEqual(failures(laplace, fresh(), draws), []))

  it('a scale five percent too small, by chi-square and Kolmogorov-Smirnov', () => {
    const draw = fresh()
    const found = failures(laplace, () => Math.round(draw() * 0.95), draws)
    assert.ok(found.some((test) => /^chi-square, /.test(test)) && found.includes('Kolmogorov-Smirnov'), found.join())
  })

  it('noise used twice, by the pairs', () => {
    const draw = fresh()
    let [last, again] = [0, false]
    const reused = () => {
      if (!again) last = draw()
      again = !again
      return last
    }
    assert.ok(failures(laplace, reused, draws).some((test) => test.startsWith('chi-square of pairs')))
  })

  it('a grid of two, by the low bits alone', () => {
    const draw = fresh()
    const found = failures(laplace, () => draw() & ~1, draws)
    assert.match(found.join(), /^chi-square of the low four bits, \d+ degrees$/)
  })

  it('a tail cut at five scales', () => {
    const draw = fresh()
    const cut = () => Math.max(-500_000, Math.min(500_000, draw()))
    assert.ok(failures(laplace, cut, draws).length > 0)
  })

  it('a law that is not a number', () => {
    const broken = { ...laplace, below: () => Number.NaN }
    assert.ok(failures(broken, fresh(), 1_000).length > 0)
  })

  for (const family of families)
    it(`one draw in four moved up: ${family.name}`, () => {
      const draw = family.sampler(secureBits())
      let i = 0
      const moved = () => draw() + (i++ % 4 === 0 ? family.width * Math.ceil(family.cells / 15) : 0)
      assert.ok(failures(family, moved, 100_000).length > 0)
    })
})
