import { rational } from 'diffprivlib-ts'
import { type AuditReport, auditOutputs } from 'diffprivlib-ts/audit'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { auditPolicy } from '../../../pipelines/simulation/audit-stage.ts'
import type { Crowd } from './crowd.ts'

/** What is claimed of one household-day at a cost of rho, an exact fraction. */
export function claimsOf(rhoPerDay: string) {
  const { rho, levels } = resolvePolicy(auditPolicy(rhoPerDay))
  const value = rational.toNumber(rho, 'up')
  const { epsilonDay, delta } = levels.utility.statement[1]
  return { rho: value, mu: Math.sqrt(2 * value), epsilon: epsilonDay, delta }
}

/** The audit of a crowd; its three bounds are all below the truth, except with a chance of 10^-6. */
export function auditOf(crowd: Crowd, delta: number): AuditReport {
  return auditOutputs(crowd.with, crowd.without, { delta, names: crowd.names, miss: 1e-6 })
}

/** Bounds that lie above what is claimed, in words; none if the claims stand. */
export function refuted(report: AuditReport, claims: ReturnType<typeof claimsOf>): readonly string[] {
  return (['mu', 'epsilon', 'rho'] as const).flatMap((figure) => {
    const { lower, event } = report[figure]
    return lower <= claims[figure] ? [] : [`${figure} is at least ${lower}, by ${event}; ${claims[figure]} is claimed`]
  })
}

/** The bounds beside the claims, in a line. */
export function boundsInWords(report: AuditReport, claims: ReturnType<typeof claimsOf>): string {
  const { mu, epsilon, rho } = report
  const pair = (name: string, bound: number, claim: number) => `${name} ≥ ${bound.toFixed(4)} of ${claim.toFixed(4)}`
  return [
    `${pair('mu', mu.lower, claims.mu)} (${mu.event.slice(0, 60)})`,
    `${pair('epsilon', epsilon.lower, claims.epsilon)} at delta ${claims.delta.toPrecision(3)}`,
    pair('rho', rho.lower, claims.rho),
  ].join(', ')
}
