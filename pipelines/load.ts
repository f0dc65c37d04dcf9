import { pickLedger, pickRestricted } from '../operators/privacy/pick-output.ts'
import { mayBeginAt } from '../operators/privacy/release/restore.ts'
import { type ReleaseTotalsOptions, releaseTotals } from '../operators/privacy/release-totals.ts'
import type { LedgerRecord } from '../schemas/ledger-record.ts'
import { topics } from '../schemas/topics.ts'
import { type Pipeline, pipeline, type Witness } from './runtime/index.ts'

/** The head of the ledger, kept outside the log. */
export interface LedgerPin extends Witness {
  /** Whether history that begins at this link is enough to be compared with the head that is kept. */
  readonly reaches: (link: LedgerRecord) => boolean
  /** The local day through which an operator declared the ledger lost. */
  readonly unproven: () => string | undefined
}

export interface LoadOptions extends Omit<ReleaseTotalsOptions, 'unproven'> {
  /** Halts the pipeline where the ledger was rolled back or replaced. Default: nothing outside the log is kept. */
  readonly pin?: LedgerPin | undefined
}

/** Bounded partial sums in; one charge a day and one seal per window and phase, noise drawn once, out. */
export function load({ pin, ...options }: LoadOptions): Pipeline {
  return pipeline(
    'load',
    topics.loadPartials,
    (partials) => {
      const released = partials.lowerAccumulating(releaseTotals({ ...options, unproven: pin?.unproven }))
      released.through(pickLedger()).to(topics.releaseLedger)
      released.through(pickRestricted()).to(topics.loadRestricted, { partition: 'key' })
    },
    {
      state: topics.loadState,
      history: {
        topic: topics.releaseLedger,
        read: 'whole',
        partition: 'same',
        enoughFrom: (value, rows) => {
          const link = value as LedgerRecord
          return mayBeginAt(link, rows) && (pin?.reaches(link) ?? true)
        },
        ...(pin ? { witness: pin } : {}),
      },
    },
  )
}
