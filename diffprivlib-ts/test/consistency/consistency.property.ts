// What holds for any tree, any variances and any values: exact sums, no variance raised, and least squares itself.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { consistencyTree, type MeasuredNode } from '../../src/consistency/index.ts'
import { decimal } from '../../src/rational.ts'

const numRuns = Math.max(Math.floor(Number(process.env['MV_CASES'] ?? 2_000) / 4), 100)

interface Case {
  readonly nodes: readonly (MeasuredNode & { readonly spread?: number })[]
  readonly values: ReadonlyMap<string, bigint>
}

/** Any tree of up to 14 nodes. Leaves keep their values and at most one child of a node lacks its own, so that all is determined. */
const anyCase: fc.Arbitrary<Case> = fc
  .array(
    fc.record({
      parent: fc.nat(1_000),
      spread: fc.integer({ min: 1, max: 100_000 }),
      measured: fc.boolean(),
      value: fc.bigInt(-(10n ** 6n), 10n ** 6n),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((drafts) => {
    const inner = new Set(drafts.slice(1).map(({ parent }, i) => parent % (i + 1)))
    const nodes = drafts.map(({ parent, spread, measured }, i) => ({
      id: `${i}`,
      ...(i === 0 ? {} : { parent: `${parent % i}` }),
      ...(measured || !inner.has(i) ? { variance: decimal(`${spread}e-2`), spread: spread / 100 } : {}),
    }))
    const values = new Map(nodes.flatMap(({ id, spread }, i) => (spread ? [[id, drafts[i]!.value] as const] : [])))
    return { nodes, values }
  })

const unbalanced = ({ nodes }: Case, estimates: ReadonlyMap<string, bigint>): readonly string[] =>
  nodes
    .map(({ id }) => ({ id, children: nodes.filter(({ parent }) => parent === id) }))
    .filter(({ children }) => children.length > 0)
    .filter(({ id, children }) => children.reduce((sum, { id }) => sum + estimates.get(id)!, 0n) !== estimates.get(id))
    .map(({ id }) => id)

/** At the least-squares solution the weighted residuals on the way from each leaf to its root cancel. Returns the worst, relative to its parts. */
const pull = ({ nodes, values }: Case, estimates: ReadonlyMap<string, bigint>): number => {
  const inner = new Set(nodes.map(({ parent }) => parent))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  let worst = 0
  for (const leaf of nodes.filter(({ id }) => !inner.has(id))) {
    let sum = 0
    let size = 0
    for (let node: Case['nodes'][number] | undefined = leaf; node; node = byId.get(node.parent ?? ''))
      if (node.spread) {
        const part = Number(values.get(node.id)! - estimates.get(node.id)!) / node.spread
        sum += part
        size += Math.abs(part) + 30 / node.spread
      }
    worst = Math.max(worst, Math.abs(sum) / size)
  }
  return worst
}

const scale = 1n << 40n
const scaled = (values: ReadonlyMap<string, bigint>) => new Map([...values].map(([id, value]) => [id, value * scale]))

describe('a consistent hierarchy of any shape', () => {
  it('adds up exactly', () =>
    fc.assert(
      fc.property(anyCase, (any) =>
        assert.deepEqual(unbalanced(any, consistencyTree(any.nodes).estimate(any.values)), []),
      ),
      { numRuns },
    ))

  it('is the least-squares solution', () =>
    fc.assert(
      fc.property(anyCase, (any) => {
        const values = scaled(any.values)
        const worst = pull({ ...any, values }, consistencyTree(any.nodes).estimate(values))
        assert.ok(worst < 1e-6, `${worst}`)
      }),
      { numRuns },
    ))

  it('never raises a variance, and has the variances that it says', () =>
    fc.assert(
      fc.property(anyCase, ({ nodes, values }) => {
        const tree = consistencyTree(nodes)
        const found = new Map(nodes.map(({ id }) => [id, 0]))
        // The estimator is linear: a value of 2^40 at one node shows that node's weight in every estimate.
        for (const id of values.keys()) {
          const spread = nodes.find((node) => node.id === id)!.spread!
          const answers = tree.estimate(new Map([...values.keys()].map((other) => [other, other === id ? scale : 0n])))
          for (const [node, answer] of answers)
            found.set(node, found.get(node)! + (Number(answer) / Number(scale)) ** 2 * spread)
        }
        for (const { id, spread } of nodes) {
          const [said, is] = [tree.variances.get(id)!, found.get(id)!]
          assert.ok(Math.abs(is - said) <= 1e-6 * said, `${id}: ${is} is not ${said}`)
          // To the last bit by its own word.
          assert.ok(spread === undefined || said <= spread * (1 + 2 ** -52))
        }
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    ))

  it('moves no node far: rounding costs less than one a level', () =>
    fc.assert(
      fc.property(anyCase, (any) => {
        const tree = consistencyTree(any.nodes)
        const [rounded, fine] = [tree.estimate(any.values), tree.estimate(scaled(any.values))]
        for (const [id, value] of rounded)
          assert.ok(Math.abs(Number(value * scale - fine.get(id)!)) < Number(scale) * 1.001)
      }),
      { numRuns },
    ))
})

describe('the checks', () => {
  const nodes = [
    { id: '0', variance: decimal('1'), spread: 1 },
    { id: '1', parent: '0', variance: decimal('1'), spread: 1 },
    { id: '2', parent: '0', variance: decimal('100'), spread: 100 },
  ]
  const values = new Map([
    ['0', 0n],
    ['1', 3000n],
    ['2', 3000n],
  ])

  it('see sums that do not add up', () => assert.deepEqual(unbalanced({ nodes, values }, values), ['0']))

  it('see a correction spread equally in spite of the variances, as in the case of equal ones', () => {
    const equal = new Map([
      ['0', 4000n],
      ['1', 2000n],
      ['2', 2000n],
    ])
    assert.ok(pull({ nodes, values }, equal) > 0.1)
    assert.ok(pull({ nodes, values }, consistencyTree(nodes).estimate(values)) < 0.02)
  })
})
