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

/** The integer `raw · 10^scaler` if it is one and exact (up to 2^53 in size), else `undefined`. */
export function shiftInteger(raw: number | bigint, scaler: number): number | undefined {
  if (scaler === 0) return typeof raw === 'number' ? raw : undefined
  // No value that matters survives more places than a 64-bit integer has digits.
  if (scaler > 20 || scaler < -20) return raw === 0 || raw === 0n ? 0 : undefined
  const factor = 10n ** BigInt(Math.abs(scaler))
  const wide = BigInt(raw)
  if (scaler > 0) return narrow(wide * factor)
  return wide % factor === 0n ? narrow(wide / factor) : undefined
}

function narrow(value: bigint): number | undefined {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}
