import type { RegisterEntry } from '../../schemas/register-entry.ts'

/**
 * Makes equal names of entries one string, and equal groups one object. Decoded from bytes each entry has its own: a
 * million of them are as many lines of memory that every reading would have to fetch, where a few thousand do. Answers
 * entries equal to those it is given.
 */
export function shareNames(): (entry: RegisterEntry) => RegisterEntry {
  const texts = new Map<string, string>()
  const paths = new Map<string, RegisterEntry['groups']>()
  const one = <T extends string>(text: T): T => {
    const known = texts.get(text)
    if (known === undefined) texts.set(text, text)
    // What the map holds under a text is that text.
    return known === undefined ? text : (known as T)
  }
  const oneOf = (groups: RegisterEntry['groups']): RegisterEntry['groups'] => {
    const known = paths.get(groups.feeder)
    if (known !== undefined && isSame(known, groups)) return known
    const { utility, region, substation, feeder } = groups
    const path = { utility: one(utility), region: one(region), substation: one(substation), feeder: one(feeder) }
    paths.set(feeder, path)
    return path
  }
  // What each reading asks for stands first and together, and what is the entry's own alone at the end. All fields stand in
  // the literal, since one that is added to it later would lie elsewhere.
  return (entry) => ({
    connection: entry.connection,
    validFrom: entry.validFrom,
    validTo: entry.validTo,
    partition: entry.partition,
    index: entry.index,
    timeZone: one(entry.timeZone),
    zone: one(entry.zone),
    groups: oneOf(entry.groups),
    fuseWhPerHour: entry.fuseWhPerHour,
    pointsAtConnection: entry.pointsAtConnection,
    profile: one(entry.profile),
    protection: one(entry.protection),
    keyRef: entry.keyRef,
    systemTitle: entry.systemTitle,
    direction: one(entry.direction),
    point: entry.point,
    customerClass: one(entry.customerClass),
    area: one(entry.area),
    tariff: one(entry.tariff),
    heating: one(entry.heating),
    dwelling: one(entry.dwelling),
  })
}

const isSame = (a: RegisterEntry['groups'], b: RegisterEntry['groups']): boolean =>
  a.utility === b.utility && a.region === b.region && a.substation === b.substation
