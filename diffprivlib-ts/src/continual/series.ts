// Power series cut off after a number of terms, in doubles: a lower-triangular Toeplitz matrix is the series of its first column.

/** numerator / denominator for series whose constant term of the denominator is not 0. Coefficients past the end of either count as 0. */
export const quotient = (numerator: (k: number) => number, denominator: Float64Array, terms: number): Float64Array => {
  const result = new Float64Array(terms)
  const first = denominator[0]!
  for (let n = 0; n < terms; n++) {
    let sum = numerator(n)
    const last = Math.min(n, denominator.length - 1)
    for (let k = 1; k <= last; k++) sum -= denominator[k]! * result[n - k]!
    result[n] = sum / first
  }
  return result
}

/** The product of two series of equal length, cut off there. */
export const product = (a: Float64Array, b: Float64Array): Float64Array => {
  const result = new Float64Array(a.length)
  for (let n = 0; n < a.length; n++) {
    let sum = 0
    for (let k = 0; k <= n; k++) sum += a[k]! * b[n - k]!
    result[n] = sum
  }
  return result
}

/**
 * The square root of the series 1 + x + x^2 + ... cut off after `reach` terms, to `terms` terms. Where nothing is cut off the coefficients
 * are those of (1 - x)^(-1/2): c_0 = 1, c_k = c_(k-1) (1 - 1/(2k)).
 */
export const rootOfOnes = (reach: number, terms: number): Float64Array => {
  const root = new Float64Array(terms)
  root[0] = 1
  for (let k = 1; k < terms; k++) root[k] = root[k - 1]! * (1 - 1 / (2 * k))
  for (let n = reach; n < terms; n++) {
    let sum = 0
    for (let k = 1; k < n; k++) sum += root[k]! * root[n - k]!
    root[n] = -sum / 2
  }
  return root
}
