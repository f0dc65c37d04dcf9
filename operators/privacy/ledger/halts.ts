import { HaltError, HistoryBehindError } from '../../contract/halt.ts'
import { type HaltReason, releaseReasons } from './reasons.ts'

/**
 * A halt that keeps something from being released, under its name in the closed list: the only way to make one under
 * operators/privacy, so that `meterveil ledger explain` knows each. `sentence` says what was found; what to do is what the
 * list says, unless `action` is closer to the case.
 */
export const releaseHalt = (
  reason: HaltReason,
  sentence: string,
  action: string = releaseReasons[reason].action,
): HaltError => new HaltError(sentence, action, reason)

/** The same where the history ends too early, which a broker that came back may mend by itself. */
export const behindHalt = (
  reason: HaltReason,
  sentence: string,
  action: string = releaseReasons[reason].action,
): HistoryBehindError => new HistoryBehindError(sentence, action, reason)
