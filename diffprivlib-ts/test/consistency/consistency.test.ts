import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consistencyTree, type MeasuredNode, treeSums } from '../../src/consistency/index.ts'
import { ParameterError } from '../../src/errors.ts'
import { decimal, integer } from '../../src/rational.ts'
import { agrees, vectorsOf } from '../helpers/vectors.ts'

const answers = new Map(vectorsOf('continual_counting').map((vector) => [vector.id.slice(-2), vector]))

/** A complete tree in level order, node i under node floor((i - 1) / branching). */
const complete = (count: number, branching: number, variance: (i: number) => string): readonly MeasuredNode[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    variance: decimal(variance(i)),
    ...(i === 0 ? {} : { parent: `${Math.floor((i - 1) / branching)}` }),
  }))

describe('known answers of hierarchies', () => {
  it('15: the sums of a binary tree of ten ones', () =>
    assert.deepEqual(treeSums(new Array<bigint>(10).fill(1n), 2).flat().map(Number), answers.get('15')?.expected))

  it('16: the running example of Hay and others', () => {
    const noisy = answers.get('16')!.inputs['noisy'] as unknown as readonly number[]
    const tree = consistencyTree(complete(7, 2, () => '1'))
    const estimates = tree.estimate(new Map(noisy.map((value, i) => [`${i}`, BigInt(value)])))
    assert.deepEqual([...estimates.values()].map(Number), answers.get('16')!.expected)
  })

  it('17: the deviations of four levels of fan-out ten', () => {
    const vector = answers.get('17')!
    const weights = vector.inputs['weights_root_to_leaf'] as unknown as readonly number[]
    const starts = [0, 1, 11, 111]
    const level = (i: number) => starts.findLastIndex((start) => i >= start)
    const tree = consistencyTree(complete(1111, 10, (i) => String(1 / weights[level(i)]!)))
    for (const [at, start] of starts.entries()) {
      const deviation = Math.sqrt(tree.variances.get(`${start}`)!)
      assert.ok(agrees(vector, deviation, (vector.expected as readonly number[])[at]!), `${deviation}`)
    }
  })
})

describe('a consistent hierarchy', () => {
  const homes: readonly MeasuredNode[] = [
    { id: 'utility', variance: integer(100) },
    { id: 'north', parent: 'utility', variance: integer(100) },
    { id: 'south', parent: 'utility' },
    { id: 'north 1', parent: 'north', variance: integer(50) },
    { id: 'north 2', parent: 'north', variance: integer(50) },
  ]
  const values = new Map([
    ['utility', 1000n],
    ['north', 390n],
    ['north 1', 200n],
    ['north 2', 210n],
  ])

  it('gives an unmeasured node what is left, and adds up', () => {
    const estimates = consistencyTree(homes).estimate(values)
    // North is 390 and 410 at equal variance, so 400; the utility has nothing to compare with.
    assert.deepEqual(
      [...estimates],
      [
        ['utility', 1000n],
        ['north', 400n],
        ['south', 600n],
        ['north 1', 195n],
        ['north 2', 205n],
      ],
    )
  })

  it('knows the variances in advance', () => {
    const { variances } = consistencyTree(homes)
    // North: 100 and 50 + 50 join to 50. South: 100 + 50. A part of north: 50 (1 - 1/2) + 50 / 4.
    assert.deepEqual([...variances.values()], [100, 50, 150, 37.5, 37.5])
  })

  it('rounds by the largest remainder', () => {
    const thirds = consistencyTree([
      { id: 'all', variance: decimal('0.000001') },
      ...['a', 'b', 'c'].map((id) => ({ id, parent: 'all', variance: integer(1_000) })),
    ])
    const estimates = thirds.estimate(
      new Map([
        ['all', 10n],
        ['a', 0n],
        ['b', 0n],
        ['c', 0n],
      ]),
    )
    assert.deepEqual([...estimates.values()], [10n, 4n, 3n, 3n])
  })

  it('keeps integers of any size exact', () => {
    const big = 10n ** 40n
    const estimates = consistencyTree(homes).estimate(
      new Map([...values].map(([id, value]) => [id, id === 'utility' ? value + 3n * big : value + big])),
    )
    assert.equal(estimates.get('utility'), estimates.get('north')! + estimates.get('south')!)
    assert.equal(estimates.get('utility'), 1000n + 3n * big)
  })

  const refused: readonly [string, readonly MeasuredNode[], RegExp][] = [
    ['without nodes', [], /at least one node/],
    ['with a node twice', [homes[0]!, homes[0]!], /twice/],
    ['with an unknown parent', [homes[0]!, { id: 'x', parent: 'east' }], /unknown parent "east"/],
    ['in a circle', [homes[0]!, { id: 'x', parent: 'y' }, { id: 'y', parent: 'x' }], /circle/],
    ['with a variance of 0', [{ id: 'x', variance: integer(0) }], /greater than 0/],
    ['with two unmeasured siblings', [...homes, { id: 'east', parent: 'utility' }], /"south" and "east"/],
    ['with an unmeasured root above one', [{ id: 'root' }, { id: 'a', parent: 'root' }], /do not determine "root"/],
  ]
  for (const [what, nodes, says] of refused)
    it(`is refused ${what}`, () =>
      assert.throws(
        () => consistencyTree(nodes),
        (error) => error instanceof ParameterError && says.test(error.message),
      ))

  it('refuses a value too few, one too many and one that has no place', () => {
    const tree = consistencyTree(homes)
    const without = new Map(values)
    without.delete('north')
    assert.throws(() => tree.estimate(without), /"north" needs a value/)
    assert.throws(() => tree.estimate(new Map([...values, ['south', 1n]])), /"south" needs a value/)
    assert.throws(() => tree.estimate(new Map([...values, ['east', 1n]])), /does not have/)
    assert.throws(() => treeSums([], 2), /at least one value/)
    assert.throws(() => treeSums([1n], 1), /branching/)
  })
})
