import type { LocatedFrame } from './contract/located-frame.ts'
import type { Operator, Spec } from './contract/operator.ts'

export const keepPlacedSpec = { name: 'keepPlaced', drops: ['forwarded'], rejects: [] } as const satisfies Spec

/**
 * The main branch after `locate`: keeps the frames that this partition owns. The others, which `forwardMisplaced` passes on
 * in the same transaction, are dropped here as `forwarded`.
 *
 * *Delivery*: every frame is either kept or dropped. *Order*: kept. *State*: none. *Privacy*: keeps the label.
 */
export function keepPlaced(): Operator<LocatedFrame, LocatedFrame> {
  return {
    spec: keepPlacedSpec,
    process: (batch, out) => {
      for (const record of batch) {
        if (record.value.misplaced) out.drop(record, 'forwarded')
        else out.emit(record, record.value)
      }
    },
  }
}
