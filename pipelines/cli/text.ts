/** Escape sequences that colour or move: they take no column. */
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g')

/** Columns a text takes, colours not counted. */
export function columns(text: string): number {
  return [...text.replace(escapes, '')].length
}

/** Fills a text with spaces up to `width` columns, on the right, or on the left. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const gap = ' '.repeat(Math.max(0, width - columns(text)))
  return align === 'left' ? text + gap : gap + text
}

/** A whole number with a comma every three digits: `288,000`. */
export function count(value: number | bigint): string {
  return Math.trunc(Number(value)) === Number(value) ? value.toLocaleString('en-US') : decimal(Number(value), 1)
}

/** A number with `digits` decimals and a comma every three digits. */
export function decimal(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** A share as per cent: `12.3 %`. */
export function percent(share: number, digits = 1): string {
  return `${decimal(share * 100, digits)} %`
}

/** A time span for a reader: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60]
  if (minutes < 60) return `${minutes} min ${String(rest).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** A size for a reader, in binary units: `512 B`, `1.5 MiB`. */
export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = size < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(size) / 10))
  const value = size / 1024 ** step
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`
}
