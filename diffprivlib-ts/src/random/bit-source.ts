/** Uniform, independent bits. Samplers see randomness only through this. */
export interface BitSource {
  /** 32 fresh bits as an unsigned integer. */
  readonly word: () => number
  /** `count` fresh bits, 1 to 32, as an unsigned integer. */
  readonly bits: (count: number) => number
}

declare const secure: unique symbol

/** Bits from the operating system's generator: the only source that mechanisms accept. Made by `secureBits` alone. */
export interface SecureBits extends BitSource {
  readonly [secure]: true
}

/** `count` fresh bits as a bigint, most significant first; `count` may be any integer from 0. */
export const wideBits = (source: BitSource, count: number): bigint => {
  let value = 0n
  let left = count
  while (left > 32) {
    value = (value << 32n) | BigInt(source.word())
    left -= 32
  }
  return left === 0 ? value : (value << BigInt(left)) | BigInt(source.bits(left))
}
