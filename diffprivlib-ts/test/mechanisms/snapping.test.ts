// The moments of the snapping mechanism against sums over its law, and against its releases.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Moments, truncatedMoments } from '../../src/laws/bounded-laplace-law.ts'
import { snappedMoments } from '../../src/laws/snapped-laplace-law.ts'
import { snapping, snappingOver } from '../../src/mechanisms/snapping.ts'
import { compare, decimal, format, integer, parse, type Rational, ratio, sub, toNumber } from '../../src/rational.ts'
import { seededBits } from '../../src/testing/seeded-bits.ts'
import { sensitivities } from './catalogue.ts'

const near = (actual: number, expected: number, slack = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= slack * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`)

/** The moments of clamp(round(centre + Laplace)) - centre, term by term from the distribution function. */
const summed = (scale: number, centre: number, bound: number) => {
  const below = (x: number): number =>
    x < centre ? Math.exp((x - centre) / scale) / 2 : 1 - Math.exp((centre - x) / scale) / 2
  let [bias, mse] = [0, 0]
  for (let k = -400; k <= 400; k++) {
    const mass = below(k + 0.5) - below(k - 0.5)
    const off = Math.max(-bound, Math.min(bound, k)) - centre
    bias += mass * off
    mse += mass * off ** 2
  }
  return { bias, mse, variance: mse - bias ** 2 }
}

const assertMoments = (moments: Moments, expected: ReturnType<typeof summed>): void => {
  for (const name of ['bias', 'variance', 'mse'] as const) {
    near(toNumber(moments[name].upper, 'up'), expected[name])
    near(toNumber(moments[name].lower, 'down'), expected[name])
  }
}

describe('the moments of snapped noise', () => {
  for (const scale of ['0.51', '0.75', '1'])
    for (const bound of ['0.25', '0.5', '1', '2.6', '10'])
      for (const share of [-1, -0.9, -0.5, -0.05, 0, 0.3, 0.5, 1]) {
        const centre = Number(bound) * share
        it(`of scale ${scale} around ${centre}, clamped to ${bound}, are the sums over the law`, () =>
          assertMoments(
            snappedMoments(decimal(scale), decimal(String(centre)), decimal(bound)),
            summed(Number(scale), centre, Number(bound)),
          ))
      }

  it('have no bias in the middle, and turn sign with the centre', () => {
    const at = (centre: Rational) => toNumber(snappedMoments(integer(1), centre, integer(5)).bias.upper, 'up')
    near(at(integer(0)), 0, 1e-300)
    near(at(ratio(7n, 3n)), -at(ratio(-7n, 3n)))
  })

  it('differ from those of discrete Laplace noise', () => {
    const discrete = truncatedMoments(integer(1), 5n, 5n).mse.lower
    assert.notEqual(compare(snappedMoments(integer(1), integer(0), integer(5)).mse.lower, discrete), 0)
  })
})

describe('the snapping mechanism', () => {
  const neighbours = 'add-remove'
  const options = {
    neighbours,
    sensitivity: sensitivities.l1,
    epsilon: decimal('0.7'),
    lower: integer(-3),
    upper: integer(11),
  } as const

  it('says its bias and mean square in units of the query, and its releases show them', () => {
    const { bias, mse, variance, facts } = snapping(options)
    const bits = seededBits(41)
    const draws = 40_000
    for (const value of [integer(-3), decimal('1.3'), integer(11)]) {
      const truth = toNumber(value, 'down')
      let [first, second, fourth] = [0, 0, 0]
      for (let i = 0; i < draws; i++) {
        const off = snappingOver(options, bits).randomise(truth) - truth
        first += off
        second += off ** 2
        fourth += off ** 4
      }
      const spread = toNumber(variance(value).upper, 'up')
      // 6.1 standard deviations: one-sided 5.3e-10.
      const slack = 6.1 / Math.sqrt(draws)
      near(first / draws, toNumber(bias(value).upper, 'up'), slack * Math.sqrt(spread))
      const meanSquare = second / draws
      const wanted = toNumber(mse(value).upper, 'up')
      assert.ok(Math.abs(meanSquare - wanted) <= slack * Math.sqrt(fourth / draws), `${meanSquare} is not ${wanted}`)
    }
    assert.equal(facts.parameters['grain'], format(parse('2')))
  })

  it('counts a value outside the domain as its nearer end', () => {
    const { bias } = snapping(options)
    assert.equal(compare(bias(integer(400)).upper, bias(integer(11)).upper), 0)
    assert.ok(compare(sub(bias(integer(-400)).lower, bias(integer(11)).lower), integer(0)) > 0)
  })
})
