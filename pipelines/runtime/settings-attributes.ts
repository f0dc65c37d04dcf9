import { z } from 'zod'
import { isMonth } from '../../operators/contract/policy-epoch.ts'
import { type SettingSpec, whole } from './settings-kinds.ts'

const months = 'What months told so far follows from it too: do not change it once attributes are told.'

/** What household.readings tells of a home, and from when on. */
export const attributeSpecs: readonly SettingSpec[] = [
  {
    key: 'attributesSince',
    variable: 'METERVEIL_ATTRIBUTES_SINCE',
    schema: z.string().refine(isMonth),
    range: 'a month, YYYY-MM',
    fallback: 'attributes are told of no household',
    help: 'First local month in which household.readings tells attributes (area, tariff, heating, dwelling), never to be changed: what a month tells is held against the month before, so that two of them together tell of no fewer homes.',
  },
  {
    key: 'attributes.k',
    variable: 'METERVEIL_ATTRIBUTES_K',
    ...whole(2, 1_000_000),
    fallback: '20',
    help: `Registered homes that must share the attributes that are told of each of them. ${months}`,
  },
  {
    key: 'attributes.maxSuppressed',
    variable: 'METERVEIL_ATTRIBUTES_MAX_SUPPRESSED',
    schema: z.number().min(0).max(1),
    range: 'a number from 0 to 1',
    fallback: '0.05',
    help: `Largest part of a zone's homes of which no attribute is told, so that more is told of the others. ${months}`,
    parse: (text) => (/^\d(?:\.\d{1,9})?$/.test(text) ? Number(text) : text),
  },
  {
    key: 'attributes.l',
    variable: 'METERVEIL_ATTRIBUTES_L',
    ...whole(1, 4),
    fallback: '1: no such rule',
    help: `Customer classes that homes which are told alike must be of (distinct l-diversity). ${months}`,
  },
]

/** What the settings say of it. */
export function attributesFrom(values: ReadonlyMap<string, unknown>): {
  readonly k: number | undefined
  readonly maxSuppressed: number | undefined
  readonly l: number | undefined
} {
  const number = (key: string) => values.get(`attributes.${key}`) as number | undefined
  return { k: number('k'), maxSuppressed: number('maxSuppressed'), l: number('l') }
}
