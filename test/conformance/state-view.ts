import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { CellAddress, CellValue, Exchanged, StateView, ViewPosition } from '../../connectors/contract.ts'

export interface ViewHarness {
  readonly view: StateView
  /** A second client of the same view; `view` itself where there is only one. */
  readonly other: StateView
  readonly close: () => Promise<void>
}

const start = (gen = randomUUID()): ViewPosition => ({ gen, seq: 0, hash: '' })
const at = ({ gen }: ViewPosition, seq: number, hash = `hash-${seq}`): ViewPosition => ({ gen, seq, hash })
const cell = (index: number, day: number, value: readonly number[], table = 'table'): CellValue => ({
  table,
  index,
  day,
  value: Uint8Array.from(value),
})
const address = ({ table, index, day }: CellAddress): CellAddress => ({ table, index, day })
const step = (seq: number, cells: readonly CellValue[], floorDay = 0, hash = `hash-${seq}`) => ({
  seq,
  hash,
  floorDay,
  cells,
})

function valuesOf(answer: Exchanged): (number[] | undefined)[] {
  assert.equal(answer.status, 'ok')
  return answer.status === 'ok' ? answer.cells.map((value) => value && [...value]) : []
}

function isMismatch(answer: Exchanged, actual: ViewPosition | undefined): void {
  assert.deepEqual(answer, { status: 'mismatch', actual })
}

/** What every implementation of the StateView port does. `make` is called once; every test has a scope of its own. */
export function stateViewConformance(name: string, make: () => Promise<ViewHarness>): void {
  describe(`${name} is a state view`, { concurrency: 1 }, () => {
    let harness: ViewHarness | undefined
    before(async () => {
      harness = await make()
    })
    after(async () => {
      await harness?.close()
    })
    const get = (): ViewHarness => {
      if (harness === undefined) throw new Error('the harness did not start')
      return harness
    }
    /** A scope that stands at the start of a generation. */
    const begun = async (cells: readonly CellValue[] = []) => {
      const { view, other } = get()
      const scope = `conformance-${randomUUID()}`
      const origin = start()
      assert.equal(await view.reset(scope, undefined, origin, cells), 'ok')
      return { view, other, scope, origin }
    }

    test('a scope that nobody wrote has no position and matches nothing', async () => {
      const { view } = get()
      const scope = `conformance-${randomUUID()}`
      assert.equal(await view.position(scope), undefined)
      isMismatch(await view.exchange(scope, { expected: start(), lookup: [] }), undefined)
      const apply = step(1, [cell(1, 1, [1])])
      isMismatch(await view.exchange(scope, { expected: start(), apply, lookup: [] }), undefined)
      assert.equal(await view.position(scope), undefined)
    })

    test('what was applied is found, also by another client, and the rest is not', async () => {
      const { view, other, scope, origin } = await begun()
      const cells = [cell(1, 20_000, [1, 2, 3]), cell(2, 0, [0]), cell(1, 20_000, [9], 'another table'), cell(7, 5, [])]
      const answer = await view.exchange(scope, {
        expected: origin,
        apply: step(1, cells),
        lookup: [...cells.map(address), { table: 'table', index: 2, day: 20_000 }, { table: 'none', index: 1, day: 0 }],
      })
      assert.deepEqual(valuesOf(answer), [[1, 2, 3], [0], [9], [], undefined, undefined])
      assert.deepEqual(await other.position(scope), at(origin, 1))
      const again = await other.exchange(scope, { expected: at(origin, 1), lookup: [address(cells[0]!)] })
      assert.deepEqual(valuesOf(again), [[1, 2, 3]])
    })

    test('the look-up sees the apply of the same call, with newer values over older ones', async () => {
      const { view, scope, origin } = await begun()
      await view.exchange(scope, { expected: origin, apply: step(1, [cell(1, 3, [1, 1, 1, 1])]), lookup: [] })
      const answer = await view.exchange(scope, {
        expected: at(origin, 1),
        apply: step(2, [cell(1, 3, [2]), cell(2, 3, [7])]),
        lookup: [address(cell(1, 3, [])), address(cell(2, 3, [])), address(cell(1, 3, []))],
      })
      assert.deepEqual(valuesOf(answer), [[2], [7], [2]])
    })

    test('of two values for one cell in a batch the last counts', async () => {
      const { view, scope, origin } = await begun()
      const answer = await view.exchange(scope, {
        expected: origin,
        apply: step(1, [cell(1, 3, [1]), cell(1, 3, [2])]),
        lookup: [address(cell(1, 3, []))],
      })
      assert.deepEqual(valuesOf(answer), [[2]])
    })

    for (const [what, wrong] of [
      ['generation', (right: ViewPosition) => ({ ...right, gen: randomUUID() })],
      ['sequence, too low', (right: ViewPosition) => ({ ...right, seq: right.seq - 1 })],
      ['sequence, too high', (right: ViewPosition) => ({ ...right, seq: right.seq + 1 })],
      ['hash', (right: ViewPosition) => ({ ...right, hash: 'another' })],
    ] as const) {
      test(`another ${what} than expected changes and shows nothing`, async () => {
        const { view, scope, origin } = await begun()
        const before = cell(1, 3, [1])
        await view.exchange(scope, { expected: origin, apply: step(1, [before]), lookup: [] })
        const expected = wrong(at(origin, 1))
        const attempt = { expected, apply: step(9, [cell(1, 3, [66])], 4), lookup: [address(before)] }
        isMismatch(await view.exchange(scope, attempt), at(origin, 1))
        isMismatch(await view.exchange(scope, { expected, lookup: [address(before)] }), at(origin, 1))
        const after = await view.exchange(scope, { expected: at(origin, 1), lookup: [address(before)] })
        assert.deepEqual(valuesOf(after), [[1]])
      })
    }

    test('an apply sent twice counts once and answers alike', async () => {
      const { view, scope, origin } = await begun()
      const request = { expected: origin, apply: step(1, [cell(1, 3, [1])]), lookup: [address(cell(1, 3, []))] }
      assert.deepEqual(valuesOf(await view.exchange(scope, request)), [[1]])
      assert.deepEqual(valuesOf(await view.exchange(scope, request)), [[1]])
      assert.deepEqual(await view.position(scope), at(origin, 1))
    })

    test('an apply that arrives late does not undo what came after it', async () => {
      const { view, scope, origin } = await begun()
      const first = { expected: origin, apply: step(1, [cell(1, 3, [1])]), lookup: [] }
      await view.exchange(scope, first)
      await view.exchange(scope, { expected: at(origin, 1), apply: step(2, [cell(1, 3, [2])]), lookup: [] })
      isMismatch(await view.exchange(scope, first), at(origin, 2))
      const answer = await view.exchange(scope, { expected: at(origin, 2), lookup: [address(cell(1, 3, []))] })
      assert.deepEqual(valuesOf(answer), [[2]])
    })

    test('standing at the right sequence with another hash is no success', async () => {
      const { view, scope, origin } = await begun()
      await view.exchange(scope, { expected: origin, apply: step(1, [cell(1, 3, [1])], 0, 'one'), lookup: [] })
      const other = { expected: origin, apply: step(1, [cell(1, 3, [2])], 0, 'two'), lookup: [] }
      isMismatch(await view.exchange(scope, other), at(origin, 1, 'one'))
    })

    test('days below the floor go, others and undated cells stay', async () => {
      const { view, scope, origin } = await begun()
      const cells = [9, 10, 11, 0].map((day) => cell(1, day, [day]))
      await view.exchange(scope, { expected: origin, apply: step(1, cells), lookup: [] })
      const answer = await view.exchange(scope, {
        expected: at(origin, 1),
        apply: step(2, [cell(2, 9, [1])], 10),
        lookup: [...cells.map(address), address(cell(2, 9, []))],
      })
      assert.deepEqual(valuesOf(answer), [undefined, [10], [11], [0], undefined])
    })

    test('days of a table below its own floor go, those of others stay', async () => {
      const { view, scope, origin } = await begun()
      const cells = [9, 10, 11, 0].flatMap((day) => [cell(1, day, [day]), cell(1, day, [day], 'brief')])
      await view.exchange(scope, { expected: origin, apply: step(1, cells), lookup: [] })
      const late = [cell(2, 10, [1]), cell(2, 10, [1], 'brief')]
      const answer = await view.exchange(scope, {
        expected: at(origin, 1),
        apply: { ...step(2, late, 10), tableFloors: new Map([['brief', 11]]) },
        lookup: [...cells, ...late].map(address),
      })
      const [ninth, tenth, eleventh, undated] = [
        [undefined, undefined],
        [[10], undefined],
        [[11], [11]],
        [[0], [0]],
      ]
      assert.deepEqual(valuesOf(answer), [ninth, tenth, eleventh, undated, [[1], undefined]].flat())
    })

    test('a floor of a table below that of all has no effect', async () => {
      const { view, scope, origin } = await begun([cell(1, 9, [9], 'brief'), cell(1, 10, [10], 'brief')])
      const answer = await view.exchange(scope, {
        expected: origin,
        apply: { ...step(1, [], 10), tableFloors: new Map([['brief', 3]]) },
        lookup: [9, 10].map((day) => address(cell(1, day, [], 'brief'))),
      })
      assert.deepEqual(valuesOf(answer), [undefined, [10]])
    })

    test('a reset replaces everything at once, under its new position', async () => {
      const { view, other, scope, origin } = await begun([cell(1, 3, [1]), cell(2, 3, [1])])
      const to = { gen: randomUUID(), seq: 41, hash: 'rebuilt' }
      assert.equal(await view.reset(scope, origin, to, [cell(1, 3, [5])]), 'ok')
      assert.deepEqual(await other.position(scope), to)
      isMismatch(await view.exchange(scope, { expected: origin, lookup: [] }), to)
      const answer = await other.exchange(scope, {
        expected: to,
        lookup: [cell(1, 3, []), cell(2, 3, [])].map(address),
      })
      assert.deepEqual(valuesOf(answer), [[5], undefined])
    })

    test('a reset takes any iterable, once, and many cells', async () => {
      const { view, scope, origin } = await begun()
      const count = 5_000
      function* cells(): Generator<CellValue> {
        for (let index = 0; index < count; index++) yield cell(index, 20_000 + (index % 3), [index & 255, index >> 8])
      }
      const to = { gen: randomUUID(), seq: 1, hash: 'h' }
      assert.equal(await view.reset(scope, origin, to, cells()), 'ok')
      const answer = await view.exchange(scope, { expected: to, lookup: [...cells()].map(address) })
      const found = valuesOf(answer)
      assert.ok(found.every((value, index) => value?.[0] === (index & 255) && value[1] === index >> 8))
    })

    test('a reset from a position that the view has left changes nothing', async () => {
      const { view, scope, origin } = await begun([cell(1, 3, [1])])
      await view.exchange(scope, { expected: origin, apply: step(1, []), lookup: [] })
      const to = { gen: randomUUID(), seq: 1, hash: 'h' }
      assert.equal(await view.reset(scope, origin, to, [cell(1, 3, [9])]), 'mismatch')
      assert.equal(await view.reset(scope, undefined, to, [cell(1, 3, [9])]), 'mismatch')
      const answer = await view.exchange(scope, { expected: at(origin, 1), lookup: [address(cell(1, 3, []))] })
      assert.deepEqual(valuesOf(answer), [[1]])
    })

    test('of two rebuilds at once one wins, and the view is wholly the winner’s', async () => {
      const { view, other, scope, origin } = await begun()
      const rebuilds = [view, other].map((client, who) => {
        const to = { gen: randomUUID(), seq: 7, hash: `by ${who}` }
        const cells = Array.from({ length: 500 }, (_, index) => cell(index, 3, [who]))
        return { to, who, done: client.reset(scope, origin, to, cells) }
      })
      const answers = await Promise.all(rebuilds.map(({ done }) => done))
      assert.deepEqual(answers.toSorted(), ['mismatch', 'ok'])
      const winner = rebuilds[answers.indexOf('ok')]!
      const lookup = Array.from({ length: 500 }, (_, index) => address(cell(index, 3, [])))
      const found = valuesOf(await view.exchange(scope, { expected: winner.to, lookup }))
      assert.ok(found.every((value) => value?.[0] === winner.who))
    })

    test('scopes do not see each other', async () => {
      const one = await begun([cell(1, 3, [1])])
      const two = await begun([cell(1, 3, [2])])
      const answer = await two.view.exchange(two.scope, { expected: two.origin, lookup: [address(cell(1, 3, []))] })
      assert.deepEqual(valuesOf(answer), [[2]])
      isMismatch(await one.view.exchange(one.scope, { expected: two.origin, lookup: [] }), one.origin)
    })

    test('what the caller does with its bytes afterwards does not reach the view', async () => {
      const { view, scope, origin } = await begun()
      const sent = cell(1, 3, [1, 1])
      const answer = await view.exchange(scope, { expected: origin, apply: step(1, [sent]), lookup: [address(sent)] })
      sent.value.fill(66)
      assert.equal(answer.status, 'ok')
      if (answer.status === 'ok') answer.cells[0]?.fill(77)
      const again = await view.exchange(scope, { expected: at(origin, 1), lookup: [address(sent)] })
      assert.deepEqual(valuesOf(again), [[1, 1]])
    })

    test('values of many lengths in neighbouring cells keep apart', async () => {
      const { view, scope, origin } = await begun()
      const lengths = [0, 1, 300, 12, 5_000, 4, 256, 257, 1_023]
      const cells = lengths.map((length, index) => cell(index, 3, Array<number>(length).fill(index)))
      await view.exchange(scope, { expected: origin, apply: step(1, cells), lookup: [] })
      const shorter = [cell(2, 3, [1]), cell(4, 3, []), cell(0, 3, Array<number>(600).fill(3))]
      const answer = await view.exchange(scope, {
        expected: at(origin, 1),
        apply: step(2, shorter),
        lookup: cells.map(address),
      })
      const expected = cells.map(({ value }) => [...value])
      for (const { index, value } of shorter) expected[index] = [...value]
      assert.deepEqual(valuesOf(answer), expected)
    })
  })
}
