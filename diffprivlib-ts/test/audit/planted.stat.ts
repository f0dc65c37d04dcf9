// Bugs of noise, clips, thresholds and composition, each planted in a copy of the right thing. The auditor must find each with p < 1e-6 from
// 20,000 runs a world or fewer, and must not find the right thing, which runs beside it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { disjointParts, openAccount } from '../../src/account.ts'
import { type AuditClaim, auditOutputs, type Output, readAuditLines } from '../../src/audit/index.ts'
import { clippedVectorSum, statedL2 } from '../../src/bounding.ts'
import { oneStep, optimisedToeplitz } from '../../src/continual/index.ts'
import { continualReleaseOver } from '../../src/continual/release.ts'
import { decimal, integer, type Rational, ratio, toNumber } from '../../src/rational.ts'
import { limitGroups, thresholdDelta } from '../../src/selection/index.ts'
import { partitionSelectionOver } from '../../src/selection/partition-selection.ts'
import { thresholdedCountsOver } from '../../src/selection/thresholded-counts.ts'
import { seededBits, seededGaussian, seededLaplace } from '../../src/testing/index.ts'

const bits = seededBits(20_261)

/** What a run gives out: with the unit in the data, or without. */
type World = (present: boolean) => Output

interface Trial {
  readonly bug: string
  /** Runs a world; 20,000 when left out. */
  readonly runs?: number
  readonly claim: AuditClaim
  readonly right: World
  readonly wrong: World
}

// One household-day moves the total by at most 100 Wh and sigma is 100 Wh: mu = 1, rho = 1/2.
const radius = 100
const sigma2 = integer(10_000)
const noise = seededGaussian(sigma2, bits)
const gauss = (): number => noise.nextNumber()
const claim = { mu: 1 }
const total = 123_456

const narrow = seededGaussian(integer(2_500), bits)
const laplace = seededLaplace(integer(radius), bits)
const steep = seededLaplace(integer(radius / 2), bits)

const { clip } = clippedVectorSum({ neighbours: 'add-remove', radius: integer(radius), signs: 'non-negative' })
const home = [150n, 200n]
const sumOf = (vector: readonly bigint[]): readonly number[] => vector.map((x) => total + Number(x))

/** What a causal clip leaves of each day's use, with the squares used so far: they begin at 0 each day, unless they are not reset. */
const twoDays = (present: boolean, reset: boolean): readonly number[] => {
  let used = 0
  const take = (use: number): number => {
    const kept = Math.min(use, Math.floor(Math.sqrt(Math.max(radius ** 2 - used, 0))))
    used += kept ** 2
    return kept
  }
  const first = present ? take(150) : 0
  if (reset) used = 0
  // The unit is the first household-day: the second is there in both worlds.
  return [total + first, total + take(150)]
}

const cut = (limit: number): number => {
  for (;;) {
    const draw = gauss()
    if (Math.abs(draw) <= limit) return draw
  }
}

// One unit alone in a group: claims of the threshold 2 at scale 1, for values strictly greater.
const unitLaplace = seededLaplace(integer(1), bits)
const alone = thresholdDelta(
  { noise: { kind: 'discrete-laplace', scale: integer(1) }, most: integer(1), groups: 1 },
  integer(2),
)
const { groups } = limitGroups({ neighbours: 'add-remove', most: 1 })
const selects = (units: number, preThreshold: number): number =>
  partitionSelectionOver(
    { neighbours: 'add-remove', groups, epsilon: integer(1), delta: decimal('1e-3'), preThreshold },
    bits,
  ).select(new Map([['group', units]])).length

const continual = (rho: Rational, present: boolean): readonly number[] => {
  const sensitivity = statedL2({ neighbours: 'add-remove', l2Squared: integer(radius ** 2), because: 'a test' })
  const strategy = optimisedToeplitz({ steps: 4 })
  const release = continualReleaseOver(
    { neighbours: 'add-remove', sensitivity, participation: oneStep, strategy, rho },
    undefined,
    bits,
  )
  return [0, 1, 2, 3].map((t) => Number(release.release(t, [BigInt(t === 0 && present ? radius : 0)]).measured[0]![0]))
}

/** The parts of a day that an account was told to be disjoint, each released with all of its rho. */
const parts = (present: boolean, overlap: boolean): readonly number[] => {
  const account = openAccount(ratio(1n, 2n))
  account.charge('day', 'feeders', disjointParts([ratio(1n, 2n), ratio(1n, 2n)], 'a home is on one feeder'))
  const use = present ? radius : 0
  return [total + use + gauss(), total + (overlap ? use : 0) + gauss()]
}

const trials: readonly Trial[] = [
  {
    bug: 'half of sigma',
    claim,
    right: (present) => total + (present ? radius : 0) + gauss(),
    wrong: (present) => total + (present ? radius : 0) + narrow.nextNumber(),
  },
  {
    bug: 'half of the scale of a Laplace',
    claim: { epsilon: 1, delta: 0 },
    right: (present) => total + (present ? radius : 0) + laplace.nextNumber(),
    wrong: (present) => total + (present ? radius : 0) + steep.nextNumber(),
  },
  {
    bug: 'the same noise on two days',
    claim,
    right: (present) => [total + (present ? radius : 0) + gauss(), total + gauss()],
    wrong: (present) => {
      const draw = gauss()
      return [total + (present ? radius : 0) + draw, total + draw]
    },
  },
  {
    bug: 'noise drawn again for the same figure',
    claim,
    right: (present) => {
      const released = total + (present ? radius : 0) + gauss()
      return [released, released]
    },
    wrong: (present) => [total + (present ? radius : 0) + gauss(), total + (present ? radius : 0) + gauss()],
  },
  {
    bug: 'a generator seeded alike in every run',
    claim,
    right: (present) => total + (present ? radius : 0) + gauss(),
    wrong: (present) => total + (present ? radius : 0) + seededGaussian(sigma2, seededBits(1)).nextNumber(),
  },
  {
    bug: 'no clip',
    claim,
    right: (present) => sumOf(present ? clip(home) : [0n, 0n]).map((value) => value + gauss()),
    wrong: (present) => sumOf(present ? home : [0n, 0n]).map((value) => value + gauss()),
  },
  {
    bug: 'a clip that is not reset at midnight',
    claim,
    right: (present) => twoDays(present, true).map((value) => value + gauss()),
    wrong: (present) => twoDays(present, false).map((value) => value + gauss()),
  },
  {
    bug: 'a tail cut at one and a half sigma',
    // The delta of mu = 1 at epsilon 1, rounded up.
    claim: { epsilon: 1, delta: 0.126937 },
    right: (present) => total + (present ? radius : 0) + gauss(),
    wrong: (present) => total + (present ? radius : 0) + cut(150),
  },
  {
    bug: 'a threshold on the exact count',
    claim: { epsilon: 1, delta: 1e-3 },
    right: (present) => selects(present ? 15 : 14, 15),
    wrong: (present) => ((present ? 15 : 14) >= 15 ? 1 : 0),
  },
  {
    bug: '>= for > at the threshold of noisy counts',
    claim: { epsilon: 1, delta: toNumber(alone, 'up') },
    runs: 4_000,
    right: (present) => {
      const counts = new Map(present ? [['group', 1]] : [])
      const options = { neighbours: 'add-remove', groups, epsilon: integer(1), delta: alone } as const
      return thresholdedCountsOver(options, bits).release(counts).get('group') ?? Number.NaN
    },
    wrong: (present) => {
      const noisy = 1 + unitLaplace.nextNumber()
      return present && noisy >= 2 ? noisy : Number.NaN
    },
  },
  {
    bug: 'parallel composition of parts that overlap',
    claim,
    right: (present) => parts(present, false),
    wrong: (present) => parts(present, true),
  },
  {
    bug: 'a sensitivity of one step for all rows of a continual release',
    runs: 5_000,
    claim,
    right: (present) => continual(ratio(1n, 2n), present),
    // Noise for S^2 where |C|^2 S^2 is due: rho is |C|^2 = 1.6 times as large as claimed.
    wrong: (present) => continual(ratio(8n, 5n), present),
  },
]

const worlds = (world: World, runs = 20_000) =>
  [true, false].map((present) => Array.from({ length: runs }, () => world(present))) as [Output[], Output[]]

describe('the auditor', () => {
  for (const { bug, claim, right, wrong, runs } of trials) {
    const delta = 'delta' in claim ? claim.delta : 0
    it(`finds ${bug}`, (t) => {
      const report = auditOutputs(...worlds(wrong, runs), { delta })
      const p = report.pValue(claim)
      t.diagnostic(
        `p ${p.toExponential(1)}, epsilon ${report.epsilon.lower.toFixed(2)}, mu ${report.mu.lower.toFixed(2)}, by ${report.mu.event}`,
      )
      assert.ok(p < 1e-6, `${p}`)
    })

    it(`does not find the right thing beside ${bug}`, () => {
      const report = auditOutputs(...worlds(right, runs), { delta })
      assert.ok(report.pValue(claim) > 1e-3, `${report.pValue(claim)}`)
      if ('mu' in claim) assert.ok(report.mu.lower <= claim.mu && report.rho.lower <= claim.mu ** 2 / 2)
      else if ('epsilon' in claim) assert.ok(report.epsilon.lower <= claim.epsilon)
    })
  }

  it('estimates the hockey stick and the Renyi divergence of a Gaussian, and bounds them from below', () => {
    const report = auditOutputs(...worlds((present) => total + (present ? radius : 0) + gauss()))
    // mu = 1: delta at epsilon 1 is 0.12694, and the divergence of order 2 is 1.
    const [stick, divergence] = [report.hockeyStick(1), report.renyi(2)]
    assert.ok(
      Math.abs(stick.estimate - 0.12694) < 0.02 && stick.lower < 0.12694 && stick.lower > 0.04,
      `${stick.estimate}`,
    )
    assert.ok(
      Math.abs(divergence.estimate - 1) < 0.15 && divergence.lower < 1 && divergence.lower > 0.3,
      `${divergence.estimate}`,
    )
    assert.throws(() => report.renyi(1), /above 1/)
  })

  it('is wrong no more often than it says', () => {
    // 300 audits of the right thing with a chance to miss of 0.2 each: more than 95 misses come by chance less than once in a million.
    let misses = 0
    for (let i = 0; i < 300; i++) {
      const report = auditOutputs(...worlds((present) => (present ? radius : 0) + gauss(), 400), { miss: 0.2 })
      // mu is 1 and rho 1/2; at delta 0 a Gaussian has no epsilon to be above.
      if (report.mu.lower > 1 || report.rho.lower > 0.5) misses += 1
    }
    assert.ok(misses <= 95, `${misses}`)
  })

  it('finds in records what no value shows: presence, attempts, time', () => {
    const lines = (leak: (present: boolean, run: number) => object) =>
      [true, false].flatMap((present) =>
        Array.from({ length: 4_000 }, (_, run) =>
          JSON.stringify({
            world: present ? 'with' : 'without',
            run,
            id: 'feeder',
            value: gauss(),
            t: 1_000,
            bytes: 80,
            ...leak(present, run),
          }),
        ),
      )
    const audit = (leak: (present: boolean, run: number) => object) => {
      const { first, second, names } = readAuditLines(lines(leak))
      return auditOutputs(first, second, { names })
    }
    assert.ok(audit(() => ({})).mu.lower === 0)
    const sizes = audit((present, run) => ({ bytes: 80 + (present && run % 3 === 0 ? 1 : 0) }))
    assert.match(sizes.epsilon.event, /feeder: bytes/)
    assert.ok(sizes.pValue({ epsilon: 1, delta: 1e-6 }) < 1e-6)
    const parity = audit((present) => ({ value: gauss() * 2 + (present ? 1 : 0) }))
    assert.match(parity.epsilon.event, /feeder: low bits/)
  })
})
