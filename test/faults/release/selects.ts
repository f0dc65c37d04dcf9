import { rational } from 'diffprivlib-ts'
import { hours } from '../../../operators/contract/clock.ts'
import type { GroupSelector } from '../../../operators/privacy/release/noise.ts'
import { selectionDelta } from '../../../operators/privacy/release/selection-terms.ts'
import type { LedgerCharge } from '../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../schemas/load-partial.ts'
import { partial } from '../../helpers/release-fixtures.ts'
import { type JournalEntry, journalDate, phaseOf } from '../../helpers/release-journal.ts'
import type { Random } from '../../model/random.ts'
import { type Stage, stageStart } from './stage.ts'

/** Hours from the start at which a source of partial sums goes on: the third day shows what was selected from the first. */
const further = [36, 47, 49.5, 52, 55, 57, 60, 64, 69]

/** The stream of a source that goes on until the third day, without further values. */
export function goOn(stream: readonly LoadPartial[]): readonly LoadPartial[] {
  const { sourcePartition, seq, progress } = stream.at(-1)!
  const after = further.map((at, n) =>
    partial(sourcePartition, seq + 1 + n, Math.max(progress, stageStart + hours(1) * at)),
  )
  return [...stream, ...after]
}

/** Values that tell who reported, in time, late and too late. */
export const middayOf = ({ below, chance }: Random): readonly JournalEntry[] =>
  Array.from({ length: 4 + below(6) }, () => ({
    source: below(2),
    hour: 12,
    delay: chance(0.5) ? below(20) : below(2_000),
    channel: 'import',
    feeder: chance(0.5) ? 'feeder-1' : 'feeder-2',
    wh: below(5_000),
  }))

interface Watched {
  readonly stage: Pick<Stage, 'ledger'>
  readonly random: Random
  readonly strike: (moment: { pipeline: string; step: string; at: string }) => void
  readonly violations: string[]
  readonly journal: () => readonly JournalEntry[]
}

/**
 * Keeps half of the groups by chance, another half at each call, and looks at what it is asked: the counts must be the true
 * ones, and the day that they are of must have paid for what is drawn, in a committed link.
 */
export function watchedSelector({ stage, random, strike, violations, journal }: Watched): GroupSelector {
  return ({ epsilon, delta }, counts) => {
    strike({ pipeline: 'load', step: 'select', at: 'before' })
    for (const [name, count] of counts) {
      const wanted = trueCount(journal(), name)
      if (count !== wanted) violations.push(`selection: ${name} is counted ${count} times instead of ${wanted}`)
      const level = name.slice(0, name.indexOf('/'))
      const paid = stage
        .ledger()
        .filter((link): link is LedgerCharge => link.kind === 'charge' && link.date === journalDate)
        .flatMap(({ charges }) => charges)
        .filter((charge) => charge.level === level && selectionDelta(charge.release) !== undefined)
      const [charge] = paid
      const cost = rational.div(rational.mul(epsilon, epsilon), rational.integer(2))
      if (!charge) violations.push(`I4: a ${level} was selected before that was charged`)
      else if (
        paid.length > 1 ||
        rational.compare(cost, rational.parse(charge.rho)) > 0 ||
        rational.compare(delta, selectionDelta(charge.release)!) > 0
      ) {
        violations.push(`I4: the selection of a ${level} costs more than was paid for`)
      }
    }
    const kept = [...counts.keys()].filter(() => random.chance(0.5))
    strike({ pipeline: 'load', step: 'select', at: 'after' })
    return kept
  }
}

/** Points that begin the window at midday, in both phases: what the journal alone says. */
function trueCount(journal: readonly JournalEntry[], name: string): number {
  return journal.filter(
    (entry) =>
      entry.hour === 12 &&
      entry.channel === 'import' &&
      phaseOf(entry) !== undefined &&
      (name.startsWith('utility/') || name === `feeder/${entry.feeder}`),
  ).length
}
