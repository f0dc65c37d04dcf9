import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maximum, minimum } from './linear-program.ts'

describe('linear program', () => {
  const total = { rows: [[1, 1, 1]], right: [10] }
  it('finds what a total leaves for its parts', () => {
    assert.deepEqual([minimum([1, 0, 0], total), maximum([1, 0, 0], total)], [0, 10])
    assert.deepEqual([minimum([1, 1, 1], total), maximum([1, 1, 1], total)], [10, 10])
  })

  it('recovers what follows from several totals', () => {
    const known = {
      rows: [
        [1, 1, 1],
        [1, 1, 0],
        [0, 0, 1],
      ],
      right: [10, 7, 3],
    }
    assert.deepEqual([minimum([0, 0, 1], known), maximum([0, 0, 1], known)], [3, 3])
    assert.deepEqual([minimum([1, 0, 0], known), maximum([1, 0, 0], known)], [0, 7])
    assert.deepEqual([minimum([1, 0, 1], known), maximum([1, 0, 1], known)], [3, 10])
  })

  it('knows no bound where there is none', () => {
    assert.equal(maximum([1, 0], { rows: [], right: [] }), Number.POSITIVE_INFINITY)
    assert.equal(maximum([1, 1], { rows: [[1, 0]], right: [4] }), Number.POSITIVE_INFINITY)
    assert.equal(minimum([1, 1], { rows: [[1, 0]], right: [4] }), 4)
  })

  it('refuses equations that contradict each other, and matrices of another kind', () => {
    const contradicting = {
      rows: [
        [1, 0],
        [1, 0],
      ],
      right: [1, 2],
    }
    assert.throws(() => maximum([1, 0], contradicting), /^RangeError: no x fulfils the equations$/)
    assert.throws(() => maximum([1, 0], { rows: [[2, 1]], right: [4] }), /not totally unimodular$/)
  })
})
