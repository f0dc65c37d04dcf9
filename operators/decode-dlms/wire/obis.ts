/** Length of an OBIS code on the wire, in bytes. */
export const obisLength = 6

// Texts of codes seen so far: a fleet uses a few dozen, and building one costs more than reading the value beside it.
const texts = new Map<number, string>()
const mostTexts = 4096

/** Writes the six bytes at `at` as `A-B:C.D.E.F` (IEC 62056-6-1), all six groups kept. */
export function obisText(bytes: Uint8Array, at: number): string {
  const code = obisHigh(bytes, at) * 0x100_0000 + obisLow(bytes, at)
  const known = texts.get(code)
  if (known !== undefined) return known
  if (texts.size >= mostTexts) texts.clear()
  const text = written(bytes, at)
  texts.set(code, text)
  return text
}

function written(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}-${bytes[at + 1]}:${bytes[at + 2]}.${bytes[at + 3]}.${bytes[at + 4]}.${bytes[at + 5]}`
}

/** Reads `A-B:C.D.E.F` into six bytes; `undefined` if it is not such a code. */
export function parseObis(text: string): Uint8Array | undefined {
  const groups = /^(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (groups === null) return undefined
  const bytes = Uint8Array.from(groups.slice(1), Number)
  return groups.slice(1).every((group) => Number(group) <= 255) ? bytes : undefined
}

/** Group A in one number with B, C (24 bits): the high half of a code, for comparison without allocation. */
export function obisHigh(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
}

/** Groups D, E, F in one number: the low half of a code. */
export function obisLow(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 3] as number) << 16) | ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number)
}
