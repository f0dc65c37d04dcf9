// LLC header of IEC 62056-46, only at the start of the first segment or I-frame of a message: E6 E7 00 from the meter, E6 E6 00 from the client.

/** Whether `bytes[at..end)` begins with an LLC header. */
export function hasLlc(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 3 || bytes[at] !== 0xe6 || bytes[at + 2] !== 0) return false
  return bytes[at + 1] === 0xe7 || bytes[at + 1] === 0xe6
}

/** Length of the header in bytes. */
export const llcLength = 3
