import { randomFillSync } from 'node:crypto'
import { startupSnapshot } from 'node:v8'

/** Overwrites the block with bytes from the operating system's generator. */
export const fillRandom = (block: Uint32Array<ArrayBuffer>): void => {
  // A start-up snapshot would hand the same pool, and so the same noise, to every process started from it.
  if (startupSnapshot.isBuildingSnapshot())
    throw new Error('randomness cannot be drawn while a start-up snapshot is built')
  randomFillSync(block)
}
