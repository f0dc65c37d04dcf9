import { product, quotient } from './series.ts'

const memory = 10

/** What to make small: the squared error of the last step, which is the largest, with weight `lastShare`, and the mean with the rest. */
interface Objective {
  readonly reach: number
  readonly lastShare: number
}

/** The weighted squared error over the horizon, times the squared sensitivity, and its slope in each coefficient. */
const squaredError = (
  c: Float64Array,
  { reach, lastShare }: Objective,
): { readonly value: number; readonly slope: Float64Array } => {
  const steps = c.length
  const weight = (k: number) => lastShare + ((1 - lastShare) * (steps - k)) / steps
  const inverse = quotient((k) => (k === 0 ? 1 : 0), c, steps)
  const decoder = quotient((k) => (k < reach ? 1 : 0), c, steps)
  let norm = 0
  let error = 0
  for (let k = 0; k < steps; k++) {
    norm += c[k]! * c[k]!
    error += weight(k) * decoder[k]! * decoder[k]!
  }
  // decoder = workload / c, so a change of c by x^k changes decoder by -x^k decoder / c.
  const change = product(decoder, inverse)
  const slope = new Float64Array(steps)
  const weighted = decoder.map((b, k) => weight(k) * b)
  for (let k = 0; k < steps; k++) {
    let sum = 0
    for (let j = k; j < steps; j++) sum += weighted[j]! * change[j - k]!
    slope[k] = 2 * c[k]! * error - 2 * sum * norm
  }
  return { value: norm * error, slope }
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!
  return sum
}

/** a + factor * b, into a. */
const accumulate = (a: Float64Array, factor: number, b: Float64Array): void => {
  for (let k = 0; k < a.length; k++) a[k] = a[k]! + factor * b[k]!
}

/**
 * The Toeplitz strategy, of first coefficient 1 and `band` coefficients, of least weighted squared error for a workload over the last
 * `reach` steps: limited-memory BFGS (Nocedal, 1980) from `start`. About a dozen evaluations of O(steps^2) each. Deterministic: doubles
 * under + - * / only.
 */
export const optimise = (start: Float64Array, objective: Objective, band: number): Float64Array => {
  const free = (slope: Float64Array): Float64Array => {
    slope[0] = 0
    slope.fill(0, band)
    return slope
  }
  let point = start.slice()
  point.fill(0, band)
  let { value, slope } = squaredError(point, objective)
  free(slope)
  const pairs: { readonly moved: Float64Array; readonly turned: Float64Array; readonly curve: number }[] = []
  for (let round = 0; round < 200; round++) {
    const direction = slope.slice()
    const shares: number[] = []
    for (const { moved, turned, curve } of pairs.toReversed()) {
      const share = dot(moved, direction) / curve
      shares.push(share)
      accumulate(direction, -share, turned)
    }
    const latest = pairs.at(-1)
    const scale = latest ? latest.curve / dot(latest.turned, latest.turned) : 0.05
    for (let k = 0; k < direction.length; k++) direction[k] = direction[k]! * scale
    for (const { moved, turned, curve } of pairs)
      accumulate(direction, shares.pop()! - dot(turned, direction) / curve, moved)

    const promised = dot(slope, direction)
    let accepted = false
    let gained = 0
    for (let step = 1; step > 1e-6 && !accepted; step /= 2) {
      const candidate = point.slice()
      accumulate(candidate, -step, direction)
      const next = squaredError(candidate, objective)
      if (!(next.value <= value - 1e-4 * step * promised)) continue
      free(next.slope)
      const moved = candidate.map((x, k) => x - point[k]!)
      const turned = next.slope.map((x, k) => x - slope[k]!)
      const curve = dot(moved, turned)
      if (curve > 0) pairs.push({ moved, turned, curve })
      if (pairs.length > memory) pairs.shift()
      gained = value - next.value
      point = candidate
      value = next.value
      slope = next.slope
      accepted = true
    }
    if (!accepted || gained < 1e-12 * value) break
  }
  return point
}
