/** Gives out fresh byte arrays of a wanted length. */
export type Allocate = (length: number) => Uint8Array

/**
 * Cuts arrays from slabs of `slabBytes`: several times cheaper than one memory block per frame. An array keeps its slab
 * alive, so use it for bytes that live and die together.
 */
export function slabAllocator(slabBytes = 65_536): Allocate {
  let slab = new ArrayBuffer(slabBytes)
  let used = 0
  return (length) => {
    if (length > slabBytes) return new Uint8Array(length)
    if (used + length > slabBytes) {
      slab = new ArrayBuffer(slabBytes)
      used = 0
    }
    const view = new Uint8Array(slab, used, length)
    used += length
    return view
  }
}
