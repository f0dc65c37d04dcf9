import { RandomnessError } from '../errors.ts'
import type { BitSource } from './bit-source.ts'

const poolWords = 16_384

/**
 * A bit source over 64 KiB blocks that `fill` overwrites with fresh random bytes. Each word is zeroed when it is handed out, so a later
 * look into memory finds no noise already used. Throws RandomnessError, and hands out nothing, when a block cannot be had or is
 * visibly broken (it begins as the block before, or with zeros: together less than once in 2^127 blocks by chance).
 */
export const pooledBits = (fill: (block: Uint32Array<ArrayBuffer>) => void): BitSource => {
  const block = new Uint32Array(poolWords)
  let previous: readonly number[] = [0, 0, 0, 0]
  let position = poolWords

  const refill = () => {
    try {
      fill(block)
    } catch (cause) {
      block.fill(0)
      throw new RandomnessError('the system gave no random bytes: stop the release and look at the operating system', {
        cause,
      })
    }
    const head = Array.from(block.subarray(0, 4))
    if (head.every((word) => word === 0) || head.every((word, i) => word === previous[i])) {
      block.fill(0)
      throw new RandomnessError(
        'the system gave the same random bytes twice: stop the release and look at the operating system',
      )
    }
    previous = head
    position = 0
  }

  const word = () => {
    if (position === poolWords) refill()
    const value = block[position]!
    block[position++] = 0
    return value
  }
  return { word, bits: (count) => word() >>> (32 - count) }
}
