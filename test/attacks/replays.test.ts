// The attack: provoke restarts, collect every copy of a release that a raw reader of load.public sees, and average the noise
// away. It needs a release to be drawn more than once.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import type { AuditRun, CrashPoint } from '../../pipelines/simulation/audit-stage.ts'
import { releaseName } from '../../pipelines/simulation/audit-stage.ts'
import { zeroNoise } from '../helpers/release-fixtures.ts'
import { planted } from './end-to-end/planted.ts'
import { once } from './end-to-end/same-noise.ts'

const world = { present: true, phases: 'preliminary' } as const

/** All values that were seen of each release. */
function valuesIn({ seen }: AuditRun): ReadonlyMap<string, readonly number[]> {
  const values = new Map<string, number[]>()
  for (const { record } of seen) {
    const name = releaseName(record)
    values.set(name, [...(values.get(name) ?? []), record.rawWh!])
  }
  return values
}

/** What is left of the variance of the noise, as a part of the variance that is stated, if the copies are averaged. */
async function leftAfterAveraging(run: AuditRun): Promise<number> {
  const truth = valuesIn(await once({ world, parts: { noise: zeroNoise } }))
  const sigma2 = new Map(run.seen.map(({ record }) => [releaseName(record), record.privacy.sigma2]))
  const squares = [...valuesIn(run)]
    .filter(([, copies]) => copies.length > 1)
    .map(([name, copies]) => {
      const mean = copies.reduce((sum, value) => sum + value, 0) / copies.length
      return (mean - truth.get(name)![0]!) ** 2 / rational.toNumber(rational.parse(sigma2.get(name)!), 'up')
    })
  assert.ok(squares.length > 60, `${squares.length} releases have copies`)
  return squares.reduce((sum, square) => sum + square, 0) / squares.length
}

const aborted: CrashPoint = { pipeline: 'publish', step: 'produce', at: 'after', nth: 1, times: 3 }

describe('averaging over replays', () => {
  it('works where noise is drawn as records are published: with four copies a quarter of the variance is left', async () => {
    const wrong = planted.find(({ bug }) => bug.includes('drawn again'))!.make({ noise: secureNoise(), quiet: false })
    const left = await leftAfterAveraging(await once({ world, crash: aborted, parts: wrong.parts }))
    // The mean of 88 squares with mean 1/4: above 0.45 once in 10^6 times.
    assert.ok(left < 0.45, `${left}`)
  })

  it('leaves all of it here: every copy holds the same bytes', async () => {
    const run = await once({ world, crash: aborted })
    const bytes = new Map<string, Set<string>>()
    for (const each of run.seen) {
      const name = releaseName(each.record)
      bytes.set(name, (bytes.get(name) ?? new Set()).add(Buffer.from(each.bytes).toString('hex')))
    }
    assert.ok(run.seen.some(({ attempt }) => attempt > 0))
    assert.ok([...bytes.values()].every(({ size }) => size === 1))
    // Below 0.5 once in 10^5 times.
    assert.ok((await leftAfterAveraging(run)) > 0.5)
  })

  for (const crash of [
    { pipeline: 'readings', step: 'commit', at: 'before', nth: 2 },
    { pipeline: 'readings', step: 'commit', at: 'after', nth: 2 },
    { pipeline: 'load', step: 'produce', at: 'after', nth: 2 },
    { pipeline: 'load', step: 'commit', at: 'before', nth: 2 },
    { pipeline: 'load', step: 'commit', at: 'after', nth: 2 },
    { pipeline: 'publish', step: 'commit', at: 'after', nth: 1 },
  ] as const) {
    it(`finds one value of each release after a crash ${crash.at} the ${crash.step} of [${crash.pipeline}]`, async () => {
      const values = valuesIn(await once({ world, crash }))
      assert.equal(values.size, 12 * 2 * 4)
      assert.ok([...values.values()].every((copies) => new Set(copies).size === 1))
    })
  }
})
