import type { MeterFrame } from '../schemas/meter-frame.ts'
import type { LocatedFrame } from './contract/located-frame.ts'
import type { Operator, Spec } from './contract/operator.ts'
import type { Routed } from './contract/published.ts'

export const forwardMisplacedSpec = { name: 'forwardMisplaced', drops: [], rejects: [] } as const satisfies Spec

/**
 * The side branch after `locate`: turns the frames that another partition owns into frames for that partition, marked as
 * passed on. The others are the business of `keepPlaced`: they are passed over without an outcome.
 *
 * *Delivery*: the frame is received anew by the log, so lateness counts from then. *Order*: kept. *State*: none.
 * *Privacy*: keeps the label.
 */
export function forwardMisplaced(): Operator<LocatedFrame, Routed<MeterFrame>> {
  return {
    spec: forwardMisplacedSpec,
    process: (batch, out) => {
      for (const record of batch) {
        const { entry, frame, misplaced } = record.value
        if (!misplaced) continue
        out.emit(record, { routedTo: entry.partition, value: { ...frame, forwarded: frame.forwarded + 1 } })
      }
    },
  }
}
