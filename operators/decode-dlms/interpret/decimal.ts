/**
 * The exact decimal of `raw · 10^scaler`, by moving the point in the digits: no floating point, so 2307 with -1 is 230.7 and a 64-bit
 * register keeps every digit. Trailing zeros stay, since they say how finely the meter counts (2500 with -1 is 250.0).
 */
export function shiftDecimal(raw: number | bigint, scaler: number): string {
  const text = raw.toString()
  if (scaler === 0) return text
  const sign = text.startsWith('-') ? '-' : ''
  const digits = sign === '' ? text : text.slice(1)
  if (scaler > 0) return digits === '0' ? '0' : sign + digits + '0'.repeat(scaler)
  const places = -scaler
  const padded = digits.padStart(places + 1, '0')
  return `${sign}${padded.slice(0, -places)}.${padded.slice(-places)}`
}

/** The integer `raw · 10^scaler`; `NaN` if it has a fraction, `Infinity` if it is not exact as a number (beyond 2^53). */
export function shiftInteger(raw: number | bigint, scaler: number): number {
  if (scaler === 0 && typeof raw === 'number') return raw
  if (raw === 0 || raw === 0n) return 0
  // A 64-bit integer has at most 20 digits: further places leave a fraction, or no exact number.
  if (scaler < -20) return Number.NaN
  if (scaler > 20) return Number.POSITIVE_INFINITY
  const factor = 10n ** BigInt(Math.abs(scaler))
  const wide = BigInt(raw)
  if (scaler < 0 && wide % factor !== 0n) return Number.NaN
  const shifted = Number(scaler < 0 ? wide / factor : wide * factor)
  return Number.isSafeInteger(shifted) ? shifted : Number.POSITIVE_INFINITY
}
