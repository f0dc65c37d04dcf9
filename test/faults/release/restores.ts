import { hours } from '../../../operators/contract/clock.ts'
import { emptyHead, headOf } from '../../../operators/privacy/ledger/chain.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import { topics } from '../../../schemas/topics.ts'
import { domain } from '../../helpers/release-fixtures.ts'
import { hashOf, type Snapshot } from './stage.ts'
import type { Storm } from './storm.ts'

const ledger = topics.releaseLedger.name
const state = topics.loadState.name
const restricted = topics.loadRestricted.name
const published = topics.loadPublic.name
const publishing = topics.publishState.name

/** What a restore may set back: topics alone, and together. */
const parts: readonly (readonly string[])[] = [
  [ledger],
  [state],
  [published],
  [publishing],
  [ledger, state],
  [published, publishing],
  [ledger, published, publishing],
  [ledger, state, restricted],
  [ledger, state, restricted, published, publishing],
]

/**
 * Sets some topics back to an older moment, starts everything again, and holds what happens against what must: nobody may
 * go on where a link or a seal was lost. Then an operator helps: what was lost is found again, or the loss is accepted.
 */
export async function restoreSomething(storm: Storm): Promise<void> {
  const { stage, random: dice, count, violations } = storm
  if (dice.chance(0.2)) return forgetPublishing(storm)
  const names = parts[dice.below(parts.length)]!
  const snapshot = storm.snapshots[dice.below(storm.snapshots.length)]!
  count(`restored: ${names.join(' + ')}`)
  storm.killAll()
  const before = stage.snapshot()
  const links = stage.ledger()
  stage.restore(snapshot, names)
  const left = stage.ledger()
  const isLoss = left.length < links.length
  // The snapshot holds the state of its own moment: a ledger that grew since then does not fit it.
  const isOldState = names.includes(state) && !names.includes(ledger) && linksIn(storm, snapshot) < links.length
  storm.launchMissing()
  await storm.rest()
  if ((isLoss || isOldState) && !storm.failed('load')) {
    violations.push(`restore: [load] went on although ${names.join(' + ')} was set back`)
  }
  if (!storm.failed('load') && !storm.failed('publish')) {
    if (names.includes(published) && !names.includes(publishing)) storm.publicLost = true
    return
  }
  storm.killAll()
  if (isLoss && names.includes(ledger) && names.includes(state) && dice.chance(0.6)) {
    count('loss accepted')
    stage.restore(
      snapshot,
      [restricted, published, publishing].filter((name) => !names.includes(name)),
    )
    acceptLoss(storm, links, left)
    // What is older than the loss does not fit the new ledger, what is newer is gone.
    storm.snapshots = []
  } else stage.restore(before, names)
  storm.launchMissing()
  await storm.rest()
}

/** The state of [publish] is gone: it reads the ledger from its first link again, and load.public says where to go on. */
async function forgetPublishing(storm: Storm): Promise<void> {
  storm.count('lost: publish.state')
  storm.killAll()
  storm.stage.empty(publishing)
  // Older states would now be of another log than load.public.
  storm.snapshots = []
  storm.launchMissing()
  await storm.rest()
}

function linksIn(storm: Storm, snapshot: Snapshot): number {
  const now = storm.stage.snapshot()
  storm.stage.restore(snapshot, [ledger])
  const count = storm.stage.ledger().length
  storm.stage.restore(now, [ledger])
  return count
}

/** As `meterveil ledger accept-loss` does. */
function acceptLoss({ stage, lost }: Storm, links: readonly LedgerRecord[], left: readonly LedgerRecord[]): void {
  const known = new Set(left.map(hashOf))
  if (links.some((link) => !known.has(hashOf(link)))) lost.push(links)
  const last = left.at(-1)
  const unproven = new Date(stage.clock.now() + hours(14)).toISOString().slice(0, 10)
  stage.pin.head = { domain: domain.name, ...(last ? headOf(last) : emptyHead), unproven }
}
