import { isMonth } from '../../operators/contract/policy-epoch.ts'
import { attributes, defaultSteps, type ZoneLoss } from '../../operators/privacy/k-anonymize/index.ts'
import { localDay } from '../../operators/window/local-day.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { toldMonths } from '../attributes.ts'
import type { Settings } from '../runtime/settings.ts'
import { usageError } from './errors.ts'
import { timeZoneOf } from './register-file.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

export interface AttributesOptions {
  /** Local month, `YYYY-MM`. Default: the month of `now`. */
  readonly month?: string | undefined
  readonly now: number
}

/**
 * `meterveil register attributes`: what household.readings tells of homes in a local month, zone by zone, and what is lost
 * by it. Nothing of it identifies a home. Without `attributesSince` it is what would be told if that were the month.
 * Throws a usage error for a month that is none.
 */
export function showAttributes(
  terminal: Terminal,
  entries: readonly RegisterEntry[],
  settings: Settings,
  { month: asked, now }: AttributesOptions,
): void {
  const timeZone = timeZoneOf(entries, settings.zone, settings.timeZone)
  const month = asked ?? localDay(timeZone, now).date.slice(0, 7)
  if (!isMonth(month)) throw usageError(`${month} is no month.`, 'Write it as YYYY-MM, such as 2026-11.')
  const { attributesSince } = settings
  if (attributesSince !== undefined && month < attributesSince) {
    terminal.record({ kind: 'attributes', month, told: false, since: attributesSince })
    terminal.line(`Attributes are told of no home in ${month}: attributesSince is ${attributesSince}.`)
    return
  }
  if (attributesSince === undefined) {
    terminal.note(
      `Attributes are told of no household: set attributesSince. This is what would be told if it were ${month}.`,
    )
  }
  const since = attributesSince ?? month
  const { zones } = toldMonths(entries, { rules: settings.attributes, timeZone, since })(month)
  const shown = zones.map(inWholeHomes)
  for (const { steps, lossOf, ...zone } of shown) {
    terminal.record({
      kind: 'attributes',
      month,
      told: attributesSince !== undefined,
      zone: zone.zone,
      homes: zone.homes,
      toldNothing: zone.suppressedHomes,
      classes: zone.classes,
      smallestClass: zone.smallestClass,
      lost: zone.loss,
      steps,
      lostOf: lossOf,
    })
  }
  if (zones.length === 0) {
    terminal.record({ kind: 'attributes', month, told: false })
    terminal.line(`No home is registered when ${month} begins, so nothing is told.`)
    return
  }
  printZones(terminal, month, shown)
}

/** Measuring points that are not alone at their connection count as parts of homes: at least so many homes are meant. */
const inWholeHomes = ({ homes, suppressedHomes, smallestClass, ...zone }: ZoneLoss): ZoneLoss => ({
  ...zone,
  homes: Math.floor(homes),
  suppressedHomes: Math.floor(suppressedHomes),
  smallestClass: Math.floor(smallestClass),
})

function printZones(terminal: Terminal, month: string, zones: readonly ZoneLoss[]): void {
  terminal.line(`What is told of homes in ${month}, by who is registered when the month begins. Homes of one class`)
  terminal.line('are told alike. Lost is 0 % where all is told as registered, and 100 % where nothing is told.')
  terminal.line()
  terminal.table(
    ['zone', 'homes', 'told nothing of', 'classes', 'homes in the smallest', 'lost'],
    zones.map(({ zone, homes, suppressedHomes, classes, smallestClass, loss }) => [
      zone,
      homes,
      suppressedHomes,
      classes,
      smallestClass,
      percent(loss),
    ]),
  )
  terminal.line()
  terminal.table(
    ['zone', { head: 'attribute', align: 'left' }, { head: 'told', align: 'left' }, 'step', 'lost'],
    zones.flatMap(({ zone, steps, lossOf }) =>
      attributes.flatMap((attribute) => {
        const names = defaultSteps.get(attribute)
        const step = steps[attribute]
        if (names === undefined || step === undefined) return []
        return [
          [zone, attribute, names[step], `${step} of ${count(names.length - 1)}`, percent(lossOf[attribute] ?? 0)],
        ]
      }),
    ),
  )
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`
