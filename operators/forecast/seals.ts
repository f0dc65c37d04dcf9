import type { LoadPublic } from '../../schemas/load-public.ts'
import { nodeName } from './tree.ts'

/** Every record of one link of the ledger: one channel and phase, the windows that end together. */
export interface Seal {
  readonly records: readonly LoadPublic[]
}

/** Puts the records of each seal together. What it answers depends on the order of records alone, not on batches. */
export interface SealCollector {
  /** Answers the seals that are complete with this record: one, if any; two, if the record is all of another one. */
  readonly add: (record: LoadPublic) => readonly Seal[]
}

/** Seconds of a local day of 23 hours: what is as long is a whole day. */
const shortestDay = 82_800

interface Open {
  readonly name: string
  /** Channel and length of the first window. */
  readonly kind: string
  readonly records: LoadPublic[]
  readonly names: Set<string>
  closed: boolean
}

/**
 * A seal holds the same groups as the one before it of its channel and length, except when the groups of a day have changed: it
 * is complete when all of those have come, or when another one begins. A group that comes after that is new: it counts
 * from the next seal on.
 */
export function sealCollector(): SealCollector {
  const lastNames = new Map<string, ReadonlySet<string>>()
  let open: Open | undefined

  const close = (): readonly Seal[] => {
    if (!open || open.closed) return []
    open.closed = true
    return [{ records: open.records }]
  }
  return {
    add: (record) => {
      const { ledgerSeq, channel, phase, windowSeconds } = record
      const name = `${ledgerSeq} ${channel} ${phase}`
      const done: Seal[] = []
      if (open?.name !== name) {
        done.push(...close())
        if (open) lastNames.set(open.kind, open.names)
        open = {
          name,
          kind: `${channel} ${windowSeconds < shortestDay ? windowSeconds : 'day'}`,
          records: [],
          names: new Set(),
          closed: false,
        }
      }
      open.names.add(nodeName(record))
      if (open.closed) return done
      open.records.push(record)
      const expected = lastNames.get(open.kind)
      if (expected && open.records.length >= expected.size && [...expected].every((each) => open?.names.has(each))) {
        done.push(...close())
      }
      return done
    },
  }
}
