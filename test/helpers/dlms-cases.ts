import { type SimulationRandom, simulationRandom } from '../../bench/fleet/random.ts'

/** How many cases a property test runs: `MV_CASES` of the environment, as CI sets it, else `few`. */
export function caseCount(few = 2_000): number {
  return Number(process.env['MV_CASES'] ?? few)
}

/** Runs one numbered case on a subject; throws if the property does not hold for it. */
export type CaseCheck<S> = (subject: S, random: SimulationRandom) => void

/** Runs `cases` cases. Every case has its own numbers, so the one that a failure names can be run alone with `first`. */
export function checkCases<S>(subject: S, check: CaseCheck<S>, cases: number, salt: number, first = 0): void {
  for (let number = first; number < first + cases; number++) {
    try {
      check(subject, simulationRandom(number, 'corruption', salt))
    } catch (error) {
      throw new Error(`case ${number} of salt ${salt}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }
}

/** The number of the first case on which the check fails, -1 if it holds on all: what a planted bug must make 0 or more. */
export function firstFailure<S>(subject: S, check: CaseCheck<S>, cases: number, salt: number): number {
  for (let number = 0; number < cases; number++) {
    try {
      check(subject, simulationRandom(number, 'corruption', salt))
    } catch {
      return number
    }
  }
  return -1
}

/** One of several. */
export function pick<T>(random: SimulationRandom, from: readonly T[]): T {
  return from[random.below(from.length)] as T
}

/** Bytes without any meaning. */
export function noise(random: SimulationRandom, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let k = 0; k < length; k++) bytes[k] = random.u32() >>> 24
  return bytes
}
