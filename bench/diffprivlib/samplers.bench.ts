// Draws per second of the exact samplers over secure bits, and what a release asks of the exact arithmetic beside them.
//   npm run bench -- samplers [--quick]
// Time is processor time of this thread. Each figure is the median over rounds that take turns, after a warm-up.
import {
  discreteGaussian,
  discreteGaussianLaw,
  discreteLaplace,
  rational,
  secureBits,
  zcdpToEpsilon,
} from 'diffprivlib-ts'
import { type Figure, report } from '../report.ts'

const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 9
const roundMillis = quick ? 60 : 200

interface Subject {
  readonly name: string
  readonly work: () => unknown
  readonly goal?: string
}

const square = (text: string) => rational.mul(rational.decimal(text), rational.decimal(text))
const delta = rational.decimal('1e-6')
const cap = rational.decimal('0.02435597')
const confidence = rational.decimal('0.95')

const draws: readonly Subject[] = [
  { name: 'secure 32-bit words', work: secureBits().word },
  ...['1e4', '1e5', '1e6'].flatMap((scale): Subject[] => [
    {
      name: `discrete Laplace, scale ${scale}`,
      work: discreteLaplace(rational.decimal(scale)).nextNumber,
      ...(scale === '1e5' ? { goal: '>= 5000000' } : {}),
    },
    {
      name: `discrete Gaussian, sigma ${scale}`,
      work: discreteGaussian(square(scale)).nextNumber,
      ...(scale === '1e5' ? { goal: '>= 2000000' } : {}),
    },
  ]),
  { name: 'discrete Gaussian, sigma 1e5, as bigint', work: discreteGaussian(square('1e5')).next },
  { name: 'discrete Laplace, scale 1e12', work: discreteLaplace(rational.decimal('1e12')).next },
  { name: 'discrete Gaussian, sigma 1e12', work: discreteGaussian(square('1e12')).next },
  { name: 'discrete Gaussian, sigma 0.7', work: discreteGaussian(square('0.7')).next },
]

const figuresOnce: readonly Subject[] = [
  { name: 'rho and delta to epsilon', work: () => zcdpToEpsilon(cap, delta) },
  { name: '95 % half-width, sigma 50', work: () => discreteGaussianLaw(square('50')).halfWidth(confidence) },
  { name: '95 % half-width, sigma 1e5', work: () => discreteGaussianLaw(square('1e5')).halfWidth(confidence) },
]

/** Nanoseconds of processor time a call. */
function nanosOf(work: () => unknown, times: number): number {
  const started = process.threadCpuUsage()
  for (let i = 0; i < times; i++) work()
  const { user, system } = process.threadCpuUsage(started)
  return ((user + system) * 1000) / times
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number
}

function measure(subjects: readonly Subject[]): readonly number[] {
  const times = subjects.map(({ work }) => {
    nanosOf(work, 20)
    const few = Math.max(20, Math.ceil(20e6 / Math.max(nanosOf(work, 20), 20)))
    return Math.max(1, Math.ceil((roundMillis * 1e6) / Math.max(nanosOf(work, few), 1)))
  })
  const seen = subjects.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, { work }] of subjects.entries()) seen[i]!.push(nanosOf(work, times[i]!))
  return seen.map(median)
}

const perSecond = measure(draws).map(
  (nanos, i): Figure => ({
    name: draws[i]!.name,
    value: 1e9 / nanos,
    unit: 'draws/s',
    ...(draws[i]!.goal === undefined ? {} : { goal: draws[i]!.goal }),
  }),
)
const millis = measure(figuresOnce).map(
  (nanos, i): Figure => ({ name: figuresOnce[i]!.name, value: nanos / 1e6, unit: 'ms' }),
)
report('samplers', [...perSecond, ...millis])
