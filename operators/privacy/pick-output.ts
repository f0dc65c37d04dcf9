import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadRestricted } from '../../schemas/load-restricted.ts'
import type { Operator, Spec } from '../contract/operator.ts'
import type { ReleaseOutput } from './release-totals.ts'

export const pickLedgerSpec = { name: 'pickLedger', drops: [], rejects: [] } as const satisfies Spec
export const pickRestrictedSpec = { name: 'pickRestricted', drops: [], rejects: [] } as const satisfies Spec

/** Of what `releaseTotals` emits, the links of the ledger. The rest goes through `pickRestricted`. */
export function pickLedger(): Operator<ReleaseOutput, LedgerRecord> {
  return {
    spec: pickLedgerSpec,
    process: (batch, out) => {
      for (const from of batch) if (from.value.to === 'ledger') out.emit(from, from.value.record)
    },
  }
}

/** Of what `releaseTotals` emits, the restricted aggregates. The rest goes through `pickLedger`. */
export function pickRestricted(): Operator<ReleaseOutput, LoadRestricted> {
  return {
    spec: pickRestrictedSpec,
    process: (batch, out) => {
      for (const from of batch) if (from.value.to === 'restricted') out.emit(from, from.value.record)
    },
  }
}
