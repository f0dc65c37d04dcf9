// The attack on the account: have windows released that nobody paid for. The checker goes over what the real pipelines left in
// the log, and finds it where the charge is planted late, left out, or too small.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import { resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { auditPolicy, type CrashPoint, openAuditStage } from '../../pipelines/simulation/audit-stage.ts'
import { exampleWorld } from '../../pipelines/simulation/audit-world.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import { relinked } from '../helpers/ledger-fixture.ts'
import { checkRelease } from '../helpers/release-checker.ts'

const world = exampleWorld({ present: true, phases: 'both' })

async function released(crash?: CrashPoint) {
  const stage = await openAuditStage({ world, crash })
  const run = await stage.run()
  const published = run.seen.map(({ key, bytes, t }) => ({ key, bytes, timestamp: t }))
  return { ledger: await run.ledger(), published, codec: { decode: stage.decode } }
}

const { cap } = resolvePolicy(auditPolicy())

describe('releases and charges', () => {
  for (const crash of [
    undefined,
    { pipeline: 'load', step: 'produce', at: 'after', nth: 1 },
    { pipeline: 'load', step: 'commit', at: 'after', nth: 1 },
    { pipeline: 'load', step: 'commit', at: 'before', nth: 2 },
    { pipeline: 'publish', step: 'produce', at: 'after', nth: 1 },
  ] as const) {
    const when = crash ? `a crash ${crash.at} ${crash.step} ${crash.nth} of [${crash.pipeline}]` : 'no crash'
    it(`agree after ${when}`, async () => {
      assert.deepEqual(checkRelease({ ...(await released(crash)), cap }), [])
    })
  }

  const isCharge = (link: LedgerRecord) => link.kind === 'charge'
  for (const [what, plant] of [
    [
      'a charge that follows its first seals',
      (links: readonly LedgerRecord[]) => [...links.filter((link) => !isCharge(link)), ...links.filter(isCharge)],
    ],
    ['a charge that was left out', (links: readonly LedgerRecord[]) => links.filter((link) => !isCharge(link))],
    [
      'a charge of half',
      (links: readonly LedgerRecord[]) =>
        links.map((link) =>
          link.kind === 'charge'
            ? {
                ...link,
                charges: link.charges.map((charge) => ({
                  ...charge,
                  rho: rational.format(rational.mul(rational.parse(charge.rho), rational.ratio(1n, 2n))),
                })),
              }
            : link,
        ),
    ],
  ] as const) {
    it(`are found to disagree where a forger plants ${what}`, async () => {
      const { ledger, ...rest } = await released()
      const violations = checkRelease({ ledger: relinked(plant(ledger)), ...rest, cap })
      assert.ok(
        violations.some((violation) => violation.startsWith('I4')),
        violations.slice(0, 3).join('; '),
      )
    })
  }
})
