// Every bug that was planted is found by the same auditor, from the same figures, as the right thing is not. With CI=true each
// with p < 1e-6; else from half of the runs with p < 1e-3. Two bugs move the whole release by sqrt(2) of its claim alone, which
// takes many minutes to tell, by MV_NIGHT=true. But they show where nothing at all may: with CI=true a figure of its own finds
// each from few runs, with p < 1e-3. `sensitivity.test.ts` finds those without noise, exactly, in every run.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { auditOutputs } from 'diffprivlib-ts/audit'
import { byNight, inFull } from './effort.ts'
import { type CrowdTask, crowd } from './end-to-end/crowd.ts'
import { type Planted, planted } from './end-to-end/planted.ts'

// The highest rho there may be: the claim is mu = sqrt(2), and few runs tell double of it.
const rhoPerDay = '1/1'
const claim = { mu: Math.SQRT2 } as const
const limit = inFull ? 1e-6 : 1e-3
const share = inFull ? 1 : 0.5
const runsOf = ({ runs }: Planted): number => Math.max(150, Math.round(runs * share))

async function audited(task: Omit<CrowdTask, 'rhoPerDay'>) {
  const seen = await crowd({ ...task, rhoPerDay })
  return auditOutputs(seen.with, seen.without, { names: seen.names })
}

describe('a release with a planted bug', () => {
  const most = byNight ? Number.POSITIVE_INFINITY : inFull ? 2_000 : 500
  for (const one of planted.filter(({ world, runs }) => world.phases === 'preliminary' || runs <= most)) {
    it(`is found out: ${one.bug}`, async (t) => {
      const report = await audited({ bug: one.bug, world: one.world, runs: runsOf(one), crash: one.crash })
      const p = report.pValue(claim)
      t.diagnostic(`p ${p.toExponential(1)}, mu ≥ ${report.mu.lower.toFixed(2)} by ${report.mu.event.slice(0, 70)}`)
      assert.ok(p < limit, `p ${p}`)
    })
  }
})

describe('a figure that may tell nothing', () => {
  const silent = planted.flatMap(({ silent: figure, ...one }) => (figure ? [{ ...one, ...figure }] : []))
  for (const { bug: expects, world, figure, because, runs: most } of inFull ? silent : silent.slice(0, 1)) {
    const audit = async (t: TestContext, bug?: string): Promise<number> => {
      // 450 runs miss p < 1e-3 less than once in a thousand times, more of them far less.
      const runs = bug === undefined ? 300 : inFull ? most : 450
      const seen = await crowd({ bug, expects, world, runs, rhoPerDay })
      const at = seen.names.indexOf(figure)
      const alone = (rows: readonly (readonly number[])[]) => rows.map((row) => [row[at]!])
      const report = auditOutputs(alone(seen.with), alone(seen.without), { names: [figure] })
      const p = report.pValue({ mu: 0 })
      t.diagnostic(
        `${runs} runs of ${seen.cpuMs.toFixed(1)} ms: p ${p.toExponential(1)}, mu ≥ ${report.mu.lower.toFixed(2)}`,
      )
      return p
    }
    it(`is the ${figure}, since ${because}: it finds ${expects}`, async (t) => {
      assert.ok((await audit(t, expects)) < 1e-3)
    })

    it(`is the ${figure} of the right thing, looked at in the same way`, async (t) => {
      // Nothing is there to be found: a false alarm comes once in a million runs.
      assert.ok((await audit(t)) > 1e-6)
    })
  }
})

// One audit of the right thing raises a false alarm at p < 1e-3 less than once in a thousand times.
describe('the right thing in the same worlds', () => {
  const worlds = new Map(planted.map(({ world, crash }) => [JSON.stringify([world, crash]), { world, crash }]))
  for (const { world, crash } of inFull ? worlds.values() : [...worlds.values()].slice(0, 2)) {
    it(`is not: ${JSON.stringify({ ...world, crash: crash !== undefined })}`, async () => {
      const report = await audited({ world, crash, runs: byNight ? 1_000 : inFull ? 400 : 200 })
      assert.ok(report.pValue(claim) > 1e-3, `p ${report.pValue(claim)} by ${report.mu.event}`)
      assert.ok(report.mu.lower <= claim.mu)
    })
  }
})
