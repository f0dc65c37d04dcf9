import fc from 'fast-check'
import { compileHierarchy, type Generalisation } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'

/** A household of a register of no fleet. */
export function household(connection: string, rest: Partial<RegisterEntry> = {}): RegisterEntry {
  return {
    point: `point of ${connection}`,
    connection,
    systemTitle: '',
    validFrom: 0,
    validTo: null,
    direction: 'import',
    partition: 0,
    index: 1,
    groups: { utility: 'u', region: 'r', substation: 's', feeder: 'f' },
    customerClass: 'residential',
    area: 'area-1-1',
    tariff: 'flat',
    heating: 'gas',
    dwelling: 'flat',
    timeZone: 'Europe/Berlin',
    zone: 'de',
    profile: '',
    protection: 'none',
    keyRef: '',
    fuseWhPerHour: 1,
    pointsAtConnection: 1,
    ...rest,
  }
}

const table = (attribute: string, steps: readonly string[], values: Readonly<Record<string, readonly string[]>>) =>
  compileHierarchy({
    attribute,
    version: 1,
    describes: 'for tests',
    kind: 'table',
    steps,
    values,
    otherwise: steps.map(() => 'other'),
  })

/** Small hierarchies of every shape: names in parts, two steps, one step, and none but all or nothing. */
export const smallHierarchies: readonly Generalisation[] = [
  compileHierarchy({ attribute: 'area', version: 1, describes: 'x', kind: 'parts', separator: '-', drop: [1] }),
  table('dwelling', ['fine', 'coarse'], { a: ['ab', 'abc'], b: ['ab', 'abc'], c: ['c', 'abc'], d: ['d', 'd'] }),
  table('heating', ['kind'], { gas: ['not'], oil: ['not'], pump: ['electric'] }),
  table('tariff', [], {}),
]

const traits = fc.record({
  area: fc.constantFrom('n-1', 'n-2', 's-1', 's'),
  tariff: fc.constantFrom('x', 'y'),
  heating: fc.constantFrom('gas', 'oil', 'pump', 'peat'),
  dwelling: fc.constantFrom('a', 'b', 'c', 'd'),
  zone: fc.constantFrom('de', 'de', 'de', 'at'),
  customerClass: fc.constantFrom('residential' as const, 'commercial' as const, 'industrial' as const),
})

/** The measuring points of one household, each with a connection name of its own and, it may be, other attributes. */
export const pointsOf = (name: string, rest: readonly Partial<RegisterEntry>[]): RegisterEntry[] =>
  rest.map((own, i) => household(`${name} / ${i}`, { ...own, pointsAtConnection: rest.length }))

/** The household of a connection name that `pointsOf` or `household` gave. */
export const householdOf = ({ connection }: RegisterEntry): string => connection.split(' / ')[0]!

const drawn = fc.oneof({ weight: 4, arbitrary: fc.nat() }, { weight: 1, arbitrary: traits })

/** Registers of up to 60 households of 1 to 3 measuring points, most of them alike. */
export const registers: fc.Arbitrary<readonly RegisterEntry[]> = fc
  .tuple(
    fc.array(traits, { minLength: 1, maxLength: 4 }),
    fc.array(fc.oneof({ weight: 3, arbitrary: fc.tuple(drawn) }, fc.array(drawn, { minLength: 1, maxLength: 3 })), {
      maxLength: 60,
    }),
  )
  .map(([common, homes]) =>
    homes.flatMap((points, i) => {
      const made = points.map((point) => (typeof point === 'number' ? common[point % common.length]! : point))
      return pointsOf(
        `home ${i}`,
        made.map((own) => ({ ...own, zone: made[0]!.zone })),
      )
    }),
  )

/** A later register: some households left, came or changed. */
export const laterRegisters: fc.Arbitrary<readonly [readonly RegisterEntry[], readonly RegisterEntry[]]> = fc
  .tuple(registers, fc.array(fc.tuple(fc.nat(), fc.constantFrom('leave', 'change', 'join'), traits), { maxLength: 12 }))
  .map(([before, events]) => {
    const after = new Map(before.map((entry) => [entry.connection, entry]))
    events.forEach(([which, what, made], i) => {
      const at = before.length === 0 ? undefined : before[which % before.length]!.connection
      if (what === 'join') after.set(`new ${i}`, household(`new ${i}`, made))
      else if (at !== undefined && what === 'leave') after.delete(at)
      else if (at !== undefined && after.has(at))
        after.set(at, { ...after.get(at)!, ...made, zone: after.get(at)!.zone })
    })
    return [before, [...after.values()]]
  })
