import type { Observer } from '../../operators/contract/observer.ts'

export type {
  AssignStep,
  BatchFacts,
  Fate,
  Observer,
  OperatorCounts,
  TransactionOutcome,
} from '../../operators/contract/observer.ts'

const nothing = () => {}
/** Counts nothing. */
export const silentObserver: Observer = {
  batch: nothing,
  transaction: nothing,
  settled: nothing,
  assignment: nothing,
  retry: nothing,
  halted: nothing,
}

/** Passes every fact on to several observers in order. */
export function observers(...all: readonly Observer[]): Observer {
  const each = (tell: (one: Observer) => void): void => {
    for (const one of all) tell(one)
  }
  return {
    batch: (...facts) => each((one) => one.batch(...facts)),
    transaction: (...facts) => each((one) => one.transaction(...facts)),
    settled: (...facts) => each((one) => one.settled(...facts)),
    assignment: (...facts) => each((one) => one.assignment(...facts)),
    retry: (...facts) => each((one) => one.retry(...facts)),
    halted: (...facts) => each((one) => one.halted(...facts)),
  }
}
