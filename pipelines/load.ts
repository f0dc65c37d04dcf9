import { pickLedger, pickRestricted } from '../operators/privacy/pick-output.ts'
import { type ReleaseTotalsOptions, releaseTotals } from '../operators/privacy/release-totals.ts'
import { topics } from '../schemas/topics.ts'
import { type Pipeline, pipeline } from './runtime/index.ts'

/** Bounded partial sums in; one charge a day and one seal per window and phase, noise drawn once, out. */
export function load(options: ReleaseTotalsOptions): Pipeline {
  return pipeline(
    'load',
    topics.loadPartials,
    (partials) => {
      const released = partials.lowerAccumulating(releaseTotals(options))
      released.through(pickLedger()).to(topics.releaseLedger)
      released.through(pickRestricted()).to(topics.loadRestricted, { partition: 'key' })
    },
    { state: topics.loadState, history: { topic: topics.releaseLedger, read: 'whole', partition: 'same' } },
  )
}
