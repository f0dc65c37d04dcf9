import { discreteGaussian, type IntegerSampler, type Rational, rational } from 'diffprivlib-ts'

/** Where the noise of a release comes from: the one impure thing a release uses. */
export interface NoiseSource {
  /** One fresh draw of the discrete Gaussian with mean 0 and this variance in Wh^2. */
  readonly gaussian: (sigma2: Rational) => bigint
}

/** Exact draws from the operating system's randomness. There is no other source outside the tests. */
export function secureNoise(): NoiseSource {
  const samplers = new Map<string, IntegerSampler>()
  return {
    gaussian: (sigma2) => {
      const name = rational.format(sigma2)
      let sampler = samplers.get(name)
      if (!sampler) {
        sampler = discreteGaussian(sigma2)
        samplers.set(name, sampler)
      }
      return sampler.next()
    },
  }
}
