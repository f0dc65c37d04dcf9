import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ParameterError, RandomnessError } from '../../src/errors.ts'
import { wideBits } from '../../src/random/bit-source.ts'
import { fillRandom as fillInBrowser } from '../../src/random/entropy-web.ts'
import { pooledBits } from '../../src/random/pool.ts'
import { requireSecure, secureBits } from '../../src/random/secure.ts'
import { one } from '../../src/rational.ts'
import { seededBits, seededGaussian, seededLaplace } from '../../src/testing/index.ts'
import { scriptedBits } from '../helpers/enumerate.ts'

const poolWords = 16_384
type Block = Uint32Array<ArrayBuffer>

/** Fills each block with 1, 2, 3, ... going on from the block before. */
const counting = (blocks: Block[]) => {
  let next = 1
  return (block: Block) => {
    blocks.push(block)
    for (let i = 0; i < block.length; i++) block[i] = next++
  }
}

describe('pooled bits', () => {
  it('hand out every word of a block once and in order, then fetch another', () => {
    const blocks: Block[] = []
    const { word } = pooledBits(counting(blocks))
    for (let i = 1; i <= 2 * poolWords + 5; i++) assert.equal(word(), i)
    assert.equal(blocks.length, 3)
  })

  it('leave a zero where a word was', () => {
    const blocks: Block[] = []
    const { word, bits } = pooledBits(counting(blocks))
    for (let i = 0; i < 10; i++) word()
    bits(3)
    assert.deepEqual([...blocks[0]!.subarray(0, 13)], [...new Array<number>(11).fill(0), 12, 13])
  })

  it('cut fewer bits from the top of a fresh word', () => {
    const { bits } = pooledBits((block) => block.fill((0b1011 << 28) >>> 0))
    assert.deepEqual([bits(1), bits(4), bits(32)], [1, 0b1011, 0xb0000000])
  })

  it('draw nothing before the first word is asked for', () => {
    const blocks: Block[] = []
    pooledBits(counting(blocks))
    assert.equal(blocks.length, 0)
  })

  const broken: readonly [string, (block: Block, call: number) => void, number][] = [
    ['the system refuses at once', () => assert.fail('no entropy'), 0],
    ['the system refuses later', (block, call) => (call === 1 ? assert.fail('no entropy') : block.fill(7)), poolWords],
    ['the system gives zeros', (block) => block.fill(0), 0],
    ['the system gives the block before again', (block) => block.fill(7), poolWords],
  ]
  for (const [what, fill, good] of broken)
    it(`fail closed when ${what}, and stay closed`, () => {
      let call = 0
      let seen: Block | undefined
      const { word } = pooledBits((block) => {
        seen = block
        fill(block, call++)
      })
      for (let i = 0; i < good; i++) word()
      assert.throws(word, RandomnessError)
      assert.throws(word, RandomnessError)
      assert.ok(seen?.every((value) => value === 0))
    })
})

describe('secure bits', () => {
  it('are one pool a thread', () => assert.equal(secureBits(), secureBits()))

  it('differ from word to word', () => {
    const { word } = secureBits()
    assert.ok(new Set(Array.from({ length: 1000 }, word)).size > 990)
  })

  it('cannot be imitated', () => {
    assert.equal(requireSecure(secureBits()), secureBits())
    const copy = { ...secureBits() }
    assert.throws(() => requireSecure(copy), ParameterError)
  })

  it('come from the browser generator too', () => {
    const block: Block = new Uint32Array(poolWords)
    fillInBrowser(block)
    assert.ok(new Set(block).size > poolWords - 100)
  })
})

describe('wide bits', () => {
  it('read the most significant bit first, over any number of words', () => {
    const script = Array.from({ length: 100 }, (_, i) => ((i * 7 + 3) % 5) % 2)
    const wanted = BigInt(`0b${script.join('')}`)
    for (const count of [0, 1, 31, 32, 33, 63, 64, 65, 100])
      assert.equal(wideBits(scriptedBits(script), count), wanted >> BigInt(100 - count))
  })
})

describe('seeded bits', () => {
  it('repeat for a seed and differ between seeds', () => {
    const take = (seed: number) => Array.from({ length: 8 }, seededBits(seed).word)
    assert.deepEqual(take(5), take(5))
    assert.notDeepEqual(take(5), take(6))
  })

  for (const seed of [-1, 0.5, 2 ** 32, Number.NaN])
    it(`refuse ${seed} as a seed`, () => assert.throws(() => seededBits(seed), /a seed is an integer/))

  it('refuse to exist where NODE_ENV is production, and so do their samplers', () => {
    const bits = seededBits(1)
    const before = process.env['NODE_ENV']
    process.env['NODE_ENV'] = 'production'
    try {
      assert.throws(() => seededBits(1), /refuses to run where NODE_ENV is production/)
      assert.throws(() => seededGaussian(one, bits), /refuses to run where NODE_ENV is production/)
      assert.throws(() => seededLaplace(one, bits), /refuses to run where NODE_ENV is production/)
    } finally {
      if (before === undefined) delete process.env['NODE_ENV']
      else process.env['NODE_ENV'] = before
    }
  })
})
