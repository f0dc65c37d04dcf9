import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { auditOutputs, readAuditLines } from '../../src/audit/index.ts'
import { ParameterError } from '../../src/errors.ts'

const some = Array.from({ length: 200 }, (_, i) => i % 7)

describe('an audit', () => {
  it('of two worlds alike shows nothing', () => {
    const report = auditOutputs(some, some)
    assert.deepEqual([report.epsilon.lower, report.mu.lower, report.rho.lower], [0, 0, 0])
    assert.equal(report.pValue({ epsilon: 0.1, delta: 0 }), 1)
    assert.equal(report.miss, 1e-6)
  })

  it('of two worlds apart says by what, where and how often', () => {
    const { epsilon, mu } = auditOutputs(
      some,
      some.map((x) => x + 10),
      { names: ['load'], miss: 0.01 },
    )
    assert.match(epsilon.event, /^load in /)
    assert.deepEqual(epsilon.counts, { for: 100, forRuns: 100, against: 0, againstRuns: 100 })
    // 100 of 100 and 0 of 100 at 0.01 / 6 a side.
    const lower = (0.01 / 6) ** (1 / 100)
    assert.ok(Math.abs(epsilon.lower - Math.log(lower / (1 - lower))) < 1e-9)
    assert.ok(mu.lower > 3)
  })

  it('sees a figure that is absent in one world only', () => {
    const { epsilon } = auditOutputs(
      some,
      some.map((x) => (x > 2 ? Number.NaN : x)),
    )
    assert.ok(epsilon.lower > 0)
  })

  it('does not choose its event on the runs that it counts', () => {
    // The first half tells the worlds apart, the second does not.
    const apart = some.map((x, i) => (i % 2 === 0 ? x + 10 : x))
    assert.equal(auditOutputs(some, apart).epsilon.lower, 0)
  })

  const refused: readonly [string, () => unknown, RegExp][] = [
    ['too few runs', () => auditOutputs(some.slice(0, 99), some), /at least 100 runs/],
    [
      'outputs of two widths',
      () =>
        auditOutputs(
          some,
          some.map((x) => [x, x]),
        ),
      /same number of figures/,
    ],
    ['a delta of 1', () => auditOutputs(some, some, { delta: 1 }), /delta lies/],
    ['a miss of 0', () => auditOutputs(some, some, { miss: 0 }), /chance to miss/],
  ]
  for (const [what, call, says] of refused)
    it(`refuses ${what}`, () =>
      assert.throws(call, (error) => error instanceof ParameterError && says.test(error.message)))
})

describe('lines of an audit', () => {
  const line = (fields: object) => JSON.stringify({ world: 'a', run: 1, id: 'x', ...fields })

  it('become figures of each id, without those that never change', () => {
    const { worlds, names, first, second } = readAuditLines([
      line({ value: 5, t: 100, bytes: 9 }),
      line({ value: 7, rev: 1, t: 130, bytes: 9 }),
      '',
      line({ run: 2, value: '20', t: 5, bytes: 9 }),
      line({ run: 2, value: '22', attempt: 1, t: 5, bytes: 9 }),
      line({ world: 'b', id: 'y', t: 50 }),
    ])
    assert.deepEqual(worlds, ['a', 'b'])
    const figure = (rows: readonly (readonly number[])[], run: number, name: string) => rows[run]![names.indexOf(name)]
    assert.deepEqual([figure(first, 0, 'x: value'), figure(first, 1, 'x: value')], [7, 21])
    assert.deepEqual([figure(first, 0, 'x: revision'), figure(first, 1, 'x: revision')], [2, Number.NaN])
    assert.deepEqual([figure(first, 0, 'x: attempts'), figure(first, 1, 'x: attempts')], [Number.NaN, 2])
    assert.deepEqual([figure(first, 0, 'x: duration'), figure(first, 0, 'x: low bits')], [30, 5])
    assert.deepEqual([figure(second, 0, 'x: records'), figure(second, 0, 'y: records')], [0, 1])
    assert.ok(!names.includes('y: value'))
  })

  const broken: readonly [string, readonly string[], RegExp][] = [
    ['that are no JSON', ['{'], /line 1 of the audit: it is not JSON/],
    ['that are no objects', [line({ value: 1 }), '5'], /line 2 of the audit: it is not an object/],
    ['without a run', [line({ run: null })], /run is not a text or number/],
    ['without an id', [line({ id: 5 })], /id is not a text/],
    ['with a value that is none', [line({ value: 'much' })], /value is not a finite number/],
    ['with a size that is a text', [line({ bytes: '9' })], /bytes is not a number/],
    ['of one world', [line({ value: 1 })], /two worlds, got 1/],
    ['that are all alike', [line({ value: 1 }), line({ world: 'b', value: 1 })], /nothing changes/],
  ]
  for (const [what, lines, says] of broken)
    it(`${what} are refused`, () =>
      assert.throws(
        () => readAuditLines(lines),
        (error) => error instanceof ParameterError && says.test(error.message),
      ))
})
