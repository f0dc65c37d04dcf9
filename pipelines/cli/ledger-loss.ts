import { hours, systemClock } from '../../operators/contract/clock.ts'
import type { FoundFault } from '../../operators/privacy/ledger/faults.ts'
import { CliError } from './errors.ts'
import type { LedgerWork } from './ledger.ts'
import { readPin, writePin } from './ledger-pin.ts'
import { speaking, verifyAll } from './ledger-verify.ts'
import { count } from './text.ts'

/** No local day begins earlier, seen from UTC. */
const earliestZoneMs = hours(14)
/** What a loss looks like; anything else that is wrong with the ledger is no loss. */
const losses: readonly string[] = ['behind_pin', 'differs_from_pin']
/** What a ledger leaves behind in load.public when it is lost. */
const remains: readonly string[] = ['published_unsealed', 'published_twice', 'published_differs']

/**
 * `meterveil ledger accept-loss --pin FILE`: pins the head of the ledger that is left, and declares every local day up to
 * today unproven, wherever on earth it is. [load] then goes on, but withholds those days in both phases. Rejects with
 * `CliError` where nothing is lost, or where what is left does not hold either.
 */
export async function acceptLoss({ ledger, settings, terminal }: LedgerWork, file: string): Promise<void> {
  const pin = await speaking(async () => readPin(file))
  if (!pin) throw new CliError(`${file} is not there.`, 'Name the file that pins the head of the ledger that was lost.')
  const faults: FoundFault[] = []
  const { verified } = await verifyAll(ledger, pin, undefined, (fault) => faults.push(fault))
  const wrong = faults.find(({ fault }) => ![...losses, ...remains].includes(fault))
  if (wrong) {
    throw new CliError(
      `What is left of the ledger does not hold: ${wrong.says}.`,
      'Restore it; this cannot be accepted.',
    )
  }
  if (!faults.some(({ fault }) => losses.includes(fault))) {
    throw new CliError('The ledger holds its pinned head: nothing is lost.', 'The pin was left as it is.')
  }
  const today = new Date(systemClock.now() + earliestZoneMs).toISOString().slice(0, 10)
  const unproven = pin.unproven !== undefined && pin.unproven > today ? pin.unproven : today
  const domain = verified.domain ?? settings.zone
  await speaking(() => writePin(file, { domain, ...verified.head, unproven }))
  terminal.record({ kind: 'loss-accepted', domain, seq: verified.head.seq, before: pin.seq, unproven })
  terminal.line(
    `Pinned: link ${count(verified.head.seq)} instead of ${count(pin.seq)}. Every window up to ${unproven} stays withheld (withheld_unproven).`,
  )
}
