// Unit codes of the COSEM physical units (Blue Book, enumeration of units), the ones that electricity, gas, water and heat meters send.

/** Code of watt-hours. */
export const wattHour = 30

/** Code of a plain number without dimension. */
export const dimensionless = 255

const symbols: Readonly<Record<number, string>> = {
  1: 'a',
  2: 'mo',
  3: 'wk',
  4: 'd',
  5: 'h',
  6: 'min',
  7: 's',
  8: '°',
  9: '°C',
  10: 'currency',
  11: 'm',
  12: 'm/s',
  13: 'm³',
  14: 'm³',
  15: 'm³/h',
  16: 'm³/h',
  17: 'm³/d',
  18: 'm³/d',
  19: 'l',
  20: 'kg',
  21: 'N',
  22: 'Nm',
  23: 'Pa',
  24: 'bar',
  25: 'J',
  26: 'J/h',
  27: 'W',
  28: 'VA',
  29: 'var',
  30: 'Wh',
  31: 'VAh',
  32: 'varh',
  33: 'A',
  34: 'C',
  35: 'V',
  36: 'V/m',
  37: 'F',
  38: 'Ω',
  40: 'Wb',
  41: 'T',
  42: 'A/m',
  43: 'H',
  44: 'Hz',
  45: '1/(Wh)',
  46: '1/(varh)',
  47: '1/(VAh)',
  48: 'V²h',
  49: 'A²h',
  50: 'kg/s',
  51: 'S',
  52: 'K',
  56: '%',
  57: 'Ah',
  70: 'dBm',
  71: 'dBµV',
  72: 'dB',
  255: '1',
}

/** Symbol of a unit code; codes that are not in the table pass through as numbers, never as a guess. */
export function unitSymbol(code: number): string | number {
  return symbols[code] ?? code
}
