// Composed losses worked out another way than src/accounting does: by plain convolution of doubles over a lattice. All terms are positive, so sums
// keep their relative precision at any delta; what is dropped makes the figure smaller.

/** Probabilities of losses (first + i) * step. */
export interface Lattice {
  readonly step: number
  readonly first: number
  readonly masses: Float64Array
}

/** The exact loss of discrete Laplace noise: losses epsilon (1 - 2 m / steps), one lattice point for each. */
export const discreteLaplaceLosses = (epsilon: number, steps: number): Lattice => {
  const q = Math.exp(-epsilon / steps)
  const masses = new Float64Array(2 * steps + 1)
  masses[2 * steps] = 1 / (1 + q)
  for (let m = 1; m < steps; m++) masses[2 * (steps - m)] = ((1 - q) / (1 + q)) * q ** m
  masses[0] = q ** steps / (1 + q)
  return { step: epsilon / steps, first: -steps, masses }
}

/**
 * Laplace noise on the reals seen through `cells` cells between the two ends: a function of the output, so it never loses more than the output
 * itself, and its loss in each cell is that of the middle.
 */
export const cellLosses = (epsilon: number, cells: number): Lattice => {
  const masses = new Float64Array(2 * cells + 1)
  masses[2 * cells] = 0.5
  for (let j = 0; j < cells; j++)
    masses[2 * cells - (2 * j + 1)] = 0.5 * Math.exp((-j * epsilon) / cells) * -Math.expm1(-epsilon / cells)
  masses[0] = 0.5 * Math.exp(-epsilon)
  return { step: epsilon / cells, first: -cells, masses }
}

const dropped = 1e-32

const convolve = (a: Lattice, b: Lattice): Lattice => {
  const masses = new Float64Array(a.masses.length + b.masses.length - 1)
  for (let i = 0; i < a.masses.length; i++) {
    const mass = a.masses[i]!
    if (mass > 0) for (let j = 0; j < b.masses.length; j++) masses[i + j]! += mass * b.masses[j]!
  }
  let start = 0
  let end = masses.length
  while (start < end - 1 && masses[start]! < dropped) start++
  while (end > start + 1 && masses[end - 1]! < dropped) end--
  return { step: a.step, first: a.first + b.first + start, masses: masses.slice(start, end) }
}

export const composed = (base: Lattice, count: number): Lattice => {
  let result = base
  for (const bit of count.toString(2).slice(1)) {
    result = convolve(result, result)
    if (bit === '1') result = convolve(result, base)
  }
  return result
}

export const deltaOf = ({ step, first, masses }: Lattice, epsilon: number): number => {
  let sum = 0
  for (let i = masses.length - 1; i >= 0; i--) {
    const loss = (first + i) * step
    if (loss <= epsilon) break
    sum += masses[i]! * -Math.expm1(epsilon - loss)
  }
  return sum
}

export const epsilonOf = (lattice: Lattice, delta: number): number => {
  let [low, high] = [0, (lattice.first + lattice.masses.length) * lattice.step]
  if (deltaOf(lattice, 0) <= delta) return 0
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (deltaOf(lattice, middle) > delta) low = middle
    else high = middle
  }
  return low
}
