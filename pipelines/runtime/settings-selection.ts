import { z } from 'zod'
import type { SelectionPolicy } from '../../operators/contract/selection-policy.ts'
import { type SettingSpec, whole } from './settings-kinds.ts'

/** A selection whose delta leaves the statement of a year as good as it is. */
const delta = '1/100000000000'

/** The selection of groups by who reported: off without its first setting. */
export const selectionSpecs: readonly SettingSpec[] = [
  {
    key: 'policy.selection.preThreshold',
    variable: 'METERVEIL_SELECTION_PRE_THRESHOLD',
    ...whole(1, 1_000_000),
    fallback: 'none: the register alone decides',
    help: 'Release only groups of which so many households are seen to have reported two days before, at a part of the budget.',
  },
  {
    key: 'policy.selection.share',
    variable: 'METERVEIL_SELECTION_SHARE',
    schema: z.string().refine(isPart),
    range: 'a fraction from 1/1000 to 1/2, written n/d',
    fallback: '1/20',
    help: 'Part of the cap of rho that the selection spends; the sums get what is left.',
  },
  {
    key: 'policy.selection.pointsAtConnection',
    variable: 'METERVEIL_SELECTION_POINTS_AT_CONNECTION',
    ...whole(1, 100),
    fallback: '1',
    help: 'Most measuring points of one connection in the register: the selection protects a household of so many, in whatever groups they are.',
  },
]

/** What the settings say of it; undefined where groups are not selected. */
export function selectionFrom(values: ReadonlyMap<string, unknown>): SelectionPolicy | undefined {
  const preThreshold = values.get('policy.selection.preThreshold') as number | undefined
  if (preThreshold === undefined) return undefined
  const share = (values.get('policy.selection.share') ?? '1/20') as string
  const pointsAtConnection = (values.get('policy.selection.pointsAtConnection') ?? 1) as number
  return { share, delta, preThreshold, pointsAtConnection }
}

function isPart(text: string): boolean {
  const [, n = '0', d = '0'] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []
  return Number(d) > 0 && Number(n) * 1_000 >= Number(d) && Number(n) * 2 <= Number(d)
}
