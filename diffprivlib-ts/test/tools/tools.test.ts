import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Neighbours } from '../../src/bounding.ts'
import { ParameterError } from '../../src/errors.ts'
import type { PrivacyLoss } from '../../src/loss.ts'
import { compare, decimal, format, integer, ratio, zero } from '../../src/rational.ts'
import { seededBits } from '../../src/testing/index.ts'
import type { ChargeFirst } from '../../src/tools/charge.ts'
import * as tools from '../../src/tools/index.ts'

/** An account that notes what it is charged. */
const noting = <N extends Neighbours>() => {
  const charges: { readonly label: string; readonly loss: PrivacyLoss<N> }[] = []
  const account: ChargeFirst<N> = { charge: (label, loss) => charges.push({ label, loss }) }
  return { account, charges }
}

/** So much epsilon that noise is 0 but once in 10^17 times: what is left is the query. */
const huge = integer(40)
/** The same for queries of a few hundred steps. */
const enormous = integer(100_000)

const added = { neighbours: 'add-remove', label: 'figure', account: noting<'add-remove'>().account } as const
const replaced = { neighbours: 'replace-one', label: 'figure', account: noting<'replace-one'>().account } as const
const bounds = { lower: integer(0), upper: integer(10), grid: decimal('0.01'), nan: 'refuse' } as const

const close = (actual: number, expected: number, slack = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= slack, `${actual} is not ${expected}`)

describe('the queries, with next to no noise', () => {
  const values = [1.5, 2.25, 9, 12, -3, 0]
  const clamped = [1.5, 2.25, 9, 10, 0, 0]
  const mean = clamped.reduce((a, b) => a + b) / clamped.length
  const variance = clamped.reduce((total, x) => total + (x - mean) ** 2, 0) / clamped.length
  const containers: readonly (readonly [string, Iterable<number>])[] = [
    ['arrays', values],
    ['typed arrays', Float64Array.from(values)],
    [
      'generators',
      (function* () {
        yield* values
      })(),
    ],
  ]

  for (const [name, container] of containers)
    it(`sum clamps, from ${name}`, () =>
      close(tools.sum(container, { ...added, ...bounds, epsilon: enormous }).value, 22.75))

  it('sum takes bigints', () => {
    const options = { ...replaced, ...bounds, grid: integer(1), epsilon: enormous }
    assert.equal(tools.sum([1n, 20n, -4n], options).value, 11)
    assert.equal(tools.sum(BigInt64Array.from([3n, 4n]), options).value, 7)
  })

  it('sum does not depend on the order, where doubles would', () => {
    const parts = [0.1, 0.2, 0.3, 0.7, 9.9, 3.3]
    const options = { ...replaced, ...bounds, epsilon: enormous }
    close(tools.sum(parts, options).value, tools.sum([...parts].reverse(), options).value, 0)
  })

  it('count and countNonzero', () => {
    assert.equal(tools.count(values, { ...added, epsilon: huge }).value, 6)
    assert.equal(tools.count(values, { ...replaced, epsilon: huge, where: (x) => x > 2 }).value, 3)
    assert.equal(tools.countNonzero([0, 1, -0, 5, 0n, 2n], { ...replaced, epsilon: huge, nan: 'refuse' }).value, 3)
  })

  for (const [name, base] of [
    ['add-remove', added],
    ['replace-one', replaced],
  ] as const)
    it(`mean, variance and std under ${name}`, () => {
      const options = { ...base, ...bounds, epsilon: enormous }
      if (options.neighbours === 'add-remove') {
        close(tools.mean(values, options).value, mean, 1e-3)
        close(tools.variance(values, options).value, variance, 1e-2)
        close(tools.std(values, options).value, Math.sqrt(variance), 1e-2)
      } else {
        close(tools.mean(values, options).value, mean, 1e-3)
        close(tools.variance(values, options).value, variance, 1e-2)
        close(tools.std(values, options).value, Math.sqrt(variance), 1e-2)
      }
    })

  it('histogram: left edges belong to a bin, the last right edge too, and what is outside to none', () => {
    const { value } = tools.histogram([0, 0.5, 1, 2, 3, 3.1, -1], {
      ...added,
      epsilon: huge,
      nan: 'refuse',
      axis: { bins: 3, lower: 0, upper: 3 },
    })
    assert.deepEqual(value.counts, [2, 1, 2])
    assert.deepEqual(value.edges, [[0, 1, 2, 3]])
    assert.deepEqual(value.shape, [3])
  })

  it('histogram2d and histogramdd count row by row', () => {
    const axes = [{ edges: [0, 1, 10] }, { bins: 2, lower: 0, upper: 2 }] as const
    const options = { ...added, epsilon: huge, nan: 'refuse', axes } as const
    const { value } = tools.histogram2d([0.5, 5, 5], [0.5, 1.5, 1.7], options)
    assert.deepEqual(value.counts, [1, 0, 0, 2])
    assert.deepEqual(tools.histogramdd([[0.5, 0.5], Float64Array.from([5, 1.5])], options).value.counts, [1, 0, 0, 1])
  })

  it('quantiles find the values of their rank, also among values that repeat', () => {
    const options = { ...added, ...bounds, epsilon: enormous }
    const sample = [1, 2, 3, 4, 5, 6, 7]
    assert.equal(tools.median(sample, options).value, 4)
    assert.equal(tools.median([5, 5, 5, 5, 5], options).value, 5)
    assert.equal(tools.quantile(sample, { ...options, quantile: ratio(3n, 4n) }).value, 6)
    const [low, high] = tools.quantiles(sample, { ...options, quantiles: [ratio(1n, 10n), ratio(9n, 10n)] }).value
    assert.equal(low, 1)
    assert.equal(high, 7)
    assert.equal(tools.percentile(sample, { ...options, percent: integer(50) }).value, 4)
  })
})

describe('a tool', () => {
  const all: readonly (readonly [
    string,
    (account: ChargeFirst<'add-remove'>, epsilon?: typeof huge) => { readonly loss: PrivacyLoss },
  ])[] = [
    ['count', (account, epsilon = huge) => tools.count([1], { ...added, account, epsilon })],
    ['countNonzero', (account, epsilon = huge) => tools.countNonzero([1], { ...added, account, epsilon, nan: 'drop' })],
    ['sum', (account, epsilon = huge) => tools.sum([1], { ...added, ...bounds, account, epsilon })],
    ['mean', (account, epsilon = huge) => tools.mean([1], { ...added, ...bounds, account, epsilon })],
    ['variance', (account, epsilon = huge) => tools.variance([1], { ...added, ...bounds, account, epsilon })],
    ['std', (account, epsilon = huge) => tools.std([1], { ...added, ...bounds, account, epsilon })],
    [
      'histogram',
      (account, epsilon = huge) =>
        tools.histogram([1], { ...added, account, epsilon, nan: 'drop', axis: { edges: [0, 1] } }),
    ],
    ['median', (account, epsilon = huge) => tools.median([1], { ...added, ...bounds, account, epsilon })],
  ]
  for (const [name, run] of all) {
    it(`${name} charges once what it says it costs`, () => {
      const { account, charges } = noting<'add-remove'>()
      const { loss } = run(account)
      assert.equal(charges.length, 1)
      assert.deepEqual(charges[0], { label: 'figure', loss })
      assert.equal('epsilon' in loss && format(loss.epsilon), '40')
    })

    it(`${name} releases nothing when the charge is refused`, () => {
      const refusal = new Error('the budget is spent')
      const charge = () => {
        throw refusal
      }
      assert.throws(() => run({ charge }), refusal)
    })

    it(`${name} refuses an account that charges later`, () =>
      assert.throws(() => run({ charge: () => Promise.resolve() }), /durable when it returns/))

    it(`${name} refuses to spend nothing`, () =>
      assert.throws(() => run(noting<'add-remove'>().account, zero), ParameterError))
  }

  it('charges before it draws, in the text of every tool', () => {
    const folder = new URL('../../src/tools/', import.meta.url)
    const orderOf = (text: string) => [text.indexOf('chargeFirst<N>('), text.search(/\.randomise(All)?\(/)] as const
    const drawing = readdirSync(folder)
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .filter((text) => /\.randomise(All)?\(/.test(text))
    assert.equal(drawing.length, 5)
    for (const text of drawing) {
      const [charge, draw] = orderOf(text)
      assert.ok(charge >= 0 && charge < draw)
      // Drawn first, the same check fails.
      const swapped = text.replace('chargeFirst<N>(', 'later(').concat('chargeFirst<N>(')
      assert.ok(orderOf(swapped)[0] > orderOf(swapped)[1])
    }
  })

  it('spends a rho under zero-concentrated privacy in Gaussian noise', () => {
    const { account, charges } = noting<'add-remove'>()
    const rho = ratio(1n, 100n)
    tools.mean([1, 2], { ...added, ...bounds, account, rho })
    tools.histogram([1], { ...added, account, rho, nan: 'drop', axis: { edges: [0, 1, 2] } })
    assert.deepEqual(
      charges.map(({ loss }) => [loss.kind, 'rho' in loss && format(loss.rho)]),
      [
        ['zcdp', '1/100'],
        ['zcdp', '1/100'],
      ],
    )
  })

  it('has the sensitivity of its relation', () => {
    const parameter = (facts: { readonly parameters: Readonly<Record<string, string>> }, name: string) =>
      facts.parameters[name]
    const wide = { ...bounds, lower: integer(-4), grid: integer(1), epsilon: integer(1) }
    assert.equal(parameter(tools.sum([1], { ...added, ...wide }).facts, 'sensitivity'), '10')
    assert.equal(parameter(tools.sum([1], { ...replaced, ...wide }).facts, 'sensitivity'), '14')
    const dropping = { ...wide, lower: integer(4), nan: 'drop' } as const
    assert.equal(parameter(tools.sum([5], { ...replaced, ...dropping }).facts, 'sensitivity'), '10')
    const axis = { edges: [0, 1, 2] }
    const bins = { epsilon: integer(1), nan: 'drop', axis } as const
    assert.equal(parameter(tools.histogram([1], { ...added, ...bins }).facts, 'sensitivity'), '1')
    assert.equal(parameter(tools.histogram([1], { ...replaced, ...bins }).facts, 'sensitivity'), '2')
  })

  it('says its interval', () => {
    const { interval } = tools.sum([1, 2], { ...added, ...bounds, epsilon: integer(1) })
    // Scale 1,000 steps: 1000 ln 20 = 2995.7, so 2,996 steps of 0.01.
    assert.equal(format(interval(decimal('0.95'))), '749/25')
  })
})

describe('values that are not numbers', () => {
  it('are refused before anything is charged, or dropped', () => {
    const { account, charges } = noting<'add-remove'>()
    const values = [1, Number.NaN, 2]
    const options = { ...added, ...bounds, account, epsilon: enormous }
    assert.throws(() => tools.sum(values, options), /not a number/)
    assert.equal(charges.length, 0)
    close(tools.sum(values, { ...options, nan: 'drop' }).value, 3)
    assert.equal(charges.length, 1)
  })

  it('may not be dropped where the number of values is public', () =>
    assert.throws(
      () => tools.mean([1], { ...replaced, ...bounds, nan: 'drop', epsilon: huge }),
      /the number of values is public/,
    ))

  it('infinities go to the bounds', () =>
    close(tools.sum([Infinity, -Infinity, 1], { ...added, ...bounds, epsilon: enormous }).value, 11))
})

describe('refusals', () => {
  const refusals: readonly [string, () => unknown, RegExp][] = [
    ['a count of all under replace-one', () => tools.count([1], { ...replaced, epsilon: huge }), /is public/],
    [
      'bounds off the grid',
      () => tools.sum([1], { ...added, ...bounds, upper: decimal('0.005'), epsilon: huge }),
      /multiple of the grid/,
    ],
    [
      'bounds the wrong way round',
      () => tools.sum([1], { ...added, ...bounds, lower: integer(11), epsilon: huge }),
      /must lie below/,
    ],
    ['a mean of nothing', () => tools.mean([], { ...replaced, ...bounds, epsilon: huge }), /no mean of no values/],
    ['a variance of one', () => tools.variance([1], { ...replaced, ...bounds, epsilon: huge }), /at least two values/],
    [
      'a quantile above 1',
      () => tools.quantile([1], { ...added, ...bounds, epsilon: huge, quantile: integer(2) }),
      /between 0 and 1/,
    ],
    [
      'edges that fall',
      () => tools.histogram([1], { ...added, epsilon: huge, nan: 'drop', axis: { edges: [1, 0] } }),
      /edges must rise/,
    ],
    [
      'coordinates of another length',
      () =>
        tools.histogram2d([1, 2], [1], {
          ...added,
          epsilon: huge,
          nan: 'drop',
          axes: [{ edges: [0, 1] }, { edges: [0, 1] }],
        }),
      /the same length/,
    ],
    [
      "bits that are not the system's",
      () => tools.median([1], { ...added, ...bounds, epsilon: huge }, seededBits(1) as never),
      /secureBits\(\) only/,
    ],
  ]
  for (const [what, call, sentence] of refusals) it(what, () => assert.throws(call, sentence))

  it('an empty data set has a count, a sum, a mean inside the bounds and a median', () => {
    const options = { ...added, ...bounds, epsilon: integer(1) }
    for (const value of [tools.mean([], options).value, tools.median([], options).value])
      assert.ok(value >= 0 && value <= 10)
    assert.equal(typeof tools.sum([], options).value, 'number')
    assert.ok(compare(integer(tools.count([], { ...added, epsilon: huge }).value), zero) === 0)
  })
})
