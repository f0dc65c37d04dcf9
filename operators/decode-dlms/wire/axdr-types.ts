// Tags of the COSEM data types (Blue Book, common data types; A-XDR coding of IEC 62056-5-3).

/** Tag numbers by name. */
export const axdrTag = {
  nullData: 0,
  array: 1,
  structure: 2,
  boolean: 3,
  bitString: 4,
  doubleLong: 5,
  doubleLongUnsigned: 6,
  octetString: 9,
  visibleString: 10,
  utf8String: 12,
  bcd: 13,
  integer: 15,
  long: 16,
  unsigned: 17,
  longUnsigned: 18,
  compactArray: 19,
  long64: 20,
  long64Unsigned: 21,
  enum: 22,
  float32: 23,
  float64: 24,
  dateTime: 25,
  date: 26,
  time: 27,
  deltaInteger: 28,
  deltaLong: 29,
  deltaDoubleLong: 30,
  deltaUnsigned: 31,
  deltaLongUnsigned: 32,
  deltaDoubleLongUnsigned: 33,
} as const

/** Type names as the Blue Book writes them, by tag. */
export const axdrName: Readonly<Record<number, string>> = {
  0: 'null-data',
  1: 'array',
  2: 'structure',
  3: 'boolean',
  4: 'bit-string',
  5: 'double-long',
  6: 'double-long-unsigned',
  9: 'octet-string',
  10: 'visible-string',
  12: 'utf8-string',
  13: 'bcd',
  15: 'integer',
  16: 'long',
  17: 'unsigned',
  18: 'long-unsigned',
  19: 'compact-array',
  20: 'long64',
  21: 'long64-unsigned',
  22: 'enum',
  23: 'float32',
  24: 'float64',
  25: 'date-time',
  26: 'date',
  27: 'time',
  28: 'delta-integer',
  29: 'delta-long',
  30: 'delta-double-long',
  31: 'delta-unsigned',
  32: 'delta-long-unsigned',
  33: 'delta-double-long-unsigned',
}

/** Content length by tag for types of fixed size. `-1`: no such type. `-2`: a length or count follows. */
export const fixedSize: Int8Array = buildSizes()

function buildSizes(): Int8Array {
  const sizes = new Int8Array(256).fill(-1)
  const byLength: readonly (readonly [number, readonly number[]])[] = [
    [0, [0]],
    [1, [3, 13, 15, 17, 22, 28, 31]],
    [2, [16, 18, 29, 32]],
    [4, [5, 6, 23, 27, 30, 33]],
    [5, [26]],
    [8, [20, 21, 24]],
    [12, [25]],
    [-2, [1, 2, 4, 9, 10, 12, 19]],
  ]
  for (const [size, tags] of byLength) for (const tag of tags) sizes[tag] = size
  return sizes
}
