// Draws per second of processor time of the exact samplers beside OpenDP (exact, vectorised), IBM's diffprivlib (doubles) and Google's library
// through PyDP (doubles on a grid), in the same run: rounds take turns, and each figure is the median of its rounds.
//   npm run bench -- dp-peers [--quick]
// Where Python with pip is present the peers are installed into the cache folder. Without it only our own figures are printed.
import { loadavg } from 'node:os'
import { discreteGaussian, discreteLaplace, rational } from 'diffprivlib-ts'
import { type Figure, report } from '../report.ts'
import { libraries, startPeers } from './peers.ts'

const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 7
const seconds = quick ? 0.1 : 0.4

const laws = ['Laplace', 'Gaussian'] as const
const scales = ['1e4', '1e5', '1e6'] as const
const goals = { Laplace: '>= 20000000', Gaussian: '>= 8000000' } as const

const subjects = laws.flatMap((law) =>
  scales.map((scale) => {
    const t = rational.decimal(scale)
    const { nextNumber } = law === 'Laplace' ? discreteLaplace(t) : discreteGaussian(rational.mul(t, t))
    return { law, scale, nextNumber }
  }),
)

/** Draws per second of processor time of this thread, over about `seconds`. */
function speedOf(draw: () => number): number {
  const started = process.threadCpuUsage()
  for (let draws = 0; ; ) {
    for (let i = 0; i < 20_000; i++) draw()
    draws += 20_000
    const { user, system } = process.threadCpuUsage(started)
    if (user + system >= seconds * 1e6) return (draws * 1e6) / (user + system)
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const seen = new Map<string, number[]>()
const note = (name: string, speed: number) => {
  if (!seen.has(name)) seen.set(name, [])
  seen.get(name)!.push(speed)
}
const nameOf = (library: string, law: string, scale: string) => `${library}, discrete ${law}, scale ${scale}`

const peers = await startPeers()
if (peers === undefined) process.stdout.write('no python3 with pip on the PATH: no peers beside our figures\n')
else process.stdout.write(`${JSON.stringify(peers.versions)}\n`)
process.stdout.write(`load of the machine before: ${loadavg()[0]!.toFixed(2)}\n`)

for (const { nextNumber } of subjects) speedOf(nextNumber)
for (let round = 0; round < rounds; round++)
  for (const { law, scale, nextNumber } of subjects) {
    note(nameOf('ours', law, scale), speedOf(nextNumber))
    for (const library of libraries) {
      // diffprivlib's Gaussian takes time in proportion to the scale, up to seconds a draw: one round tells enough.
      const slow = library === 'diffprivlib' && law === 'Gaussian'
      if (!peers || (slow && round > 0)) continue
      note(
        nameOf(library, law, scale),
        await peers.ask({ library, law, scale: Number(scale), seconds, warm: round === 0 && !slow }),
      )
    }
  }
peers?.end()

const speed = (library: string, law: string, scale: string): number => median(seen.get(nameOf(library, law, scale))!)
const figures = laws.flatMap((law): Figure[] => {
  const ours = scales.map((scale) => speed('ours', law, scale))
  return [
    ...scales.flatMap((scale): Figure[] => [
      { name: nameOf('ours', law, scale), value: speed('ours', law, scale), unit: 'draws/s', goal: goals[law] },
      ...(peers
        ? libraries.map((library) => ({
            name: nameOf(library, law, scale),
            value: speed(library, law, scale),
            unit: 'draws/s',
          }))
        : []),
    ]),
    ...(peers
      ? scales.map((scale) => ({
          name: `ours against OpenDP, the best exact peer, ${law}, scale ${scale}`,
          value: speed('ours', law, scale) / speed('OpenDP', law, scale),
          unit: 'times',
          goal: '>= 100',
        }))
      : []),
    {
      name: `slowest of the scales against the fastest, ours, ${law}`,
      value: Math.min(...ours) / Math.max(...ours),
      unit: '',
      goal: '>= 0.8',
    },
  ]
})
report('dp-peers', figures)
