// The sensitivity of a strategy against all ways in which a unit can take part, tried one by one.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  binaryTree,
  optimisedToeplitz,
  type Strategy,
  squareRootToeplitz,
  strategySensitivity,
} from '../../src/continual/index.ts'
import { compare, integer, ratio } from '../../src/rational.ts'

const numRuns = Math.max(Math.floor(Number(process.env['MV_CASES'] ?? 2_000) / 20), 20)

/** All sets of steps that a participation allows. */
const choices = (steps: number, most: number, apart: number, from = 0): readonly (readonly number[])[] => {
  const found: (readonly number[])[] = [[]]
  if (most > 0)
    for (let first = from; first < steps; first++)
      for (const rest of choices(steps, most - 1, apart, first + apart)) found.push([first, ...rest])
  return found
}

/** The squared norm of what a unit of size 1 in these steps adds to all measurements, on the grid. */
const moved = (strategy: Strategy, taken: readonly number[]): bigint => {
  const { steps } = strategy
  let sum = 0n
  if (strategy.kind === 'tree') {
    for (let size = 1; size <= steps; size *= 2)
      for (let end = size; end <= steps; end += size) {
        const inside = BigInt(taken.filter((t) => t < end && t >= end - size).length)
        sum += inside * inside
      }
    return sum
  }
  for (let row = 0; row < steps; row++) {
    const value = taken.reduce((total, t) => total + (t <= row ? (strategy.coefficients[row - t] ?? 0n) : 0n), 0n)
    sum += value * value
  }
  return sum
}

const largest = (strategy: Strategy, most: number, apart: number): bigint =>
  choices(strategy.steps, most, apart)
    .map((taken) => moved(strategy, taken))
    .reduce((a, b) => (a > b ? a : b))

const shape = fc.record({
  steps: fc.integer({ min: 1, max: 11 }),
  most: fc.integer({ min: 1, max: 4 }),
  apart: fc.integer({ min: 1, max: 5 }),
})

describe('the sensitivity of a strategy', () => {
  it('of a tree is the largest of all ways to take part', () =>
    fc.assert(
      fc.property(shape, ({ steps, most, apart }) => {
        const claimed = strategySensitivity(binaryTree({ steps }), { most, apart })
        assert.equal(compare(claimed, integer(largest(binaryTree({ steps }), most, apart))), 0)
      }),
      { numRuns },
    ))

  it('of falling coefficients is the largest of all ways to take part', () =>
    fc.assert(
      fc.property(shape, fc.boolean(), ({ steps, most, apart }, banded) => {
        const options = { steps, gridBits: 12, ...(banded ? { band: Math.ceil(steps / 2) } : {}) }
        const strategy = squareRootToeplitz(options)
        const claimed = strategySensitivity(strategy, { most, apart })
        assert.equal(compare(claimed, ratio(largest(strategy, most, apart), 1n << 24n)), 0)
      }),
      { numRuns },
    ))

  it('of any other coefficients bounds all ways to take part', () =>
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 5 }), ({ steps, most, apart }, window) => {
        const strategy = optimisedToeplitz({ steps, gridBits: 12, workload: { window } })
        const claimed = strategySensitivity(strategy, { most, apart })
        assert.ok(compare(claimed, ratio(largest(strategy, most, apart), 1n << 24n)) >= 0)
      }),
      { numRuns },
    ))
})

describe('the check', () => {
  it('would see a sensitivity that forgets a level, or the steps after the first', () => {
    assert.ok(largest(binaryTree({ steps: 8 }), 1, 1) > 3n)
    const strategy = squareRootToeplitz({ steps: 8, gridBits: 12 })
    const single = strategySensitivity(strategy, { most: 1, apart: 1 })
    assert.ok(compare(single, ratio(largest(strategy, 2, 3), 1n << 24n)) < 0)
  })
})
