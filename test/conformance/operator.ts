import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import type { BatchContext, Envelope, Keyed, Operator } from '../../operators/contract/operator.ts'
import { reasonsOf } from '../../operators/contract/reasons.ts'
import { type CellStore, contextOf, type Outcome, runBatch } from '../operators/harness.ts'

export interface OperatorUnderTest<I, S = never> {
  /** Makes a fresh operator, with or without state of type S. */
  readonly make: () => Operator<I, unknown> | Keyed<I, unknown, S>
  /** Streams of input in the order of the log. */
  readonly inputs: Arbitrary<readonly Envelope<I>[]>
  /**
   * `each`: every record is emitted (once or more), dropped or rejected, and just one of these.
   * `selects`: as `each`, but records that are another branch's business may be passed over.
   * `folds`: one record per batch, which stands for the batch as a whole.
   */
  readonly accounting: 'each' | 'selects' | 'folds'
  /** Whether output follows input, or is sorted within a batch by what the records say. */
  readonly order: 'kept' | 'sorted'
  readonly context?: Partial<BatchContext>
}

interface Check {
  readonly name: string
  readonly run: <I, S>(subject: OperatorUnderTest<I, S>, inputs: readonly Envelope<I>[], cut: number) => void
}

/** What every operator must do, as checks of one stream of input and one place to cut it. Each throws where it is broken. */
export const operatorChecks: readonly Check[] = [
  {
    name: 'declares a name and reasons of the right outcome',
    run: ({ make }) => {
      const { name, drops, rejects } = make().spec
      assert.match(name, /^[a-z][A-Za-z]*$/)
      for (const reason of drops) assert.ok(reasonsOf('drop').includes(reason), `${reason} is no drop`)
      const refusals = [...reasonsOf('reject'), ...reasonsOf('event')]
      for (const reason of rejects) assert.ok(refusals.includes(reason), `${reason} is no reject`)
    },
  },
  {
    name: 'uses declared reasons only',
    run: (subject, inputs) => {
      const { spec } = subject.make()
      for (const outcome of outcomesOf(subject, [inputs])) {
        if (outcome.kind === 'emit') continue
        const declared: readonly string[] = outcome.kind === 'drop' ? spec.drops : spec.rejects
        assert.ok(declared.includes(outcome.reason), `${outcome.reason} is not declared`)
      }
    },
  },
  {
    name: 'ends every record in exactly one outcome',
    run: (subject, inputs) => {
      const outcomes = outcomesOf(subject, [inputs])
      if (subject.accounting === 'folds') {
        assert.deepEqual(
          outcomes.map(({ kind, from }) => [kind, from === contextFor(subject).whole]),
          [['emit', true]],
        )
        return
      }
      const kinds = new Map<Envelope<unknown>, string[]>(inputs.map((record) => [record, []]))
      for (const { kind, from } of outcomes) {
        const of = kinds.get(from)
        assert.ok(of !== undefined, 'an outcome of a record that is not in the batch')
        of.push(kind)
      }
      for (const of of kinds.values()) {
        if (subject.accounting === 'each') assert.ok(of.length > 0, 'a record has no outcome')
        assert.ok(of.length <= 1 || of.every((kind) => kind === 'emit'), `a record ended as ${of.join(' and ')}`)
      }
    },
  },
  {
    name: 'keeps the order of its input',
    run: (subject, inputs) => {
      if (subject.order !== 'kept' || subject.accounting === 'folds') return
      const places = new Map<Envelope<unknown>, number>(inputs.map((record, place) => [record, place]))
      const order = outcomesOf(subject, [inputs]).map(({ from }) => places.get(from) as number)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    },
  },
  {
    name: 'sorts what it does not keep in order: the order of arrival leaves no trace',
    run: (subject, inputs) => {
      if (subject.order !== 'sorted') return
      const values = (records: typeof inputs) => outcomesOf(subject, [records]).map(described)
      assert.deepEqual(values(inputs.toReversed()), values(inputs))
    },
  },
  {
    name: 'gives the same however the stream is cut into batches',
    run: (subject, inputs, cut) => {
      if (subject.accounting === 'folds') return
      const once = outcomesOf(subject, [inputs]).map(described)
      const cutUp = outcomesOf(subject, [inputs.slice(0, cut), inputs.slice(cut)]).map(described)
      if (subject.order === 'kept') assert.deepEqual(cutUp, once)
      else assert.deepEqual(cutUp.toSorted(), once.toSorted())
    },
  },
  {
    name: 'gives the same when a batch runs again before its commit',
    run: (subject, inputs, cut) => {
      const step = subject.make()
      const context = contextFor(subject)
      const store: CellStore = new Map()
      runBatch(step, inputs.slice(0, cut), { context, store })
      const before = new Map(store)
      const first = runBatch(step, inputs.slice(cut), { context, store, commit: false })
      assert.deepEqual(store, before)
      assert.deepEqual(runBatch(step, inputs.slice(cut), { context, store }).map(described), first.map(described))
    },
  },
  {
    name: 'leaves its input as it was',
    run: (subject, inputs) => {
      const before = textOf(inputs)
      outcomesOf(subject, [inputs])
      assert.equal(textOf(inputs), before)
    },
  },
  {
    name: 'asks no clock',
    run: (subject, inputs) => {
      const { now } = Date
      try {
        Date.now = () => assert.fail('an operator asked the clock')
        outcomesOf(subject, [inputs])
      } finally {
        Date.now = now
      }
    },
  },
  {
    name: 'takes an empty batch',
    run: (subject) => {
      const outcomes = outcomesOf(subject, [[]])
      assert.equal(outcomes.length, subject.accounting === 'folds' ? 1 : 0)
    },
  },
]

/** Registers the checks as tests over random streams. */
export function operatorConformance<I, S = never>(name: string, subject: OperatorUnderTest<I, S>): void {
  // eighty properties: the laws that need more cases have suites of their own
  const numRuns = Math.min(1_000, Number(process.env['MV_CASES'] ?? 100))
  describe(`${name}, as every operator`, () => {
    for (const check of operatorChecks) {
      test(check.name, () => {
        fc.assert(
          fc.property(subject.inputs, fc.nat(20), (inputs, cut) => check.run(subject, inputs, cut)),
          { numRuns },
        )
      })
    }
  })
}

function contextFor<I, S>({ context = {} }: OperatorUnderTest<I, S>): BatchContext {
  // `whole` of the default context is one object, so that outcomes can name it
  return contextOf(context)
}

function outcomesOf<I, S>(
  subject: OperatorUnderTest<I, S>,
  batches: readonly (readonly Envelope<I>[])[],
): readonly Outcome[] {
  const step = subject.make()
  const store: CellStore = new Map()
  return batches.flatMap((batch) => runBatch(step, batch, { context: contextFor(subject), store }))
}

function described(outcome: Outcome): string {
  const what = outcome.kind === 'emit' ? textOf(outcome.value) : outcome.reason
  return `${outcome.kind} ${what}`
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
}
