/** Overwrites the block with bytes from the browser's generator, which takes at most 64 KiB a call. */
export const fillRandom = (block: Uint32Array<ArrayBuffer>): void => {
  globalThis.crypto.getRandomValues(block)
}
