import type { Json } from '../../operators/decode-dlms/expect.ts'

export const withheld = '<withheld>'

/**
 * Facts about a frame that name no meter and tell nothing about a home: how it is built and protected. Everything else is
 * withheld unless asked for, so that a new fact is withheld until somebody has thought about it.
 */
const shown = new Set([
  'id',
  'error',
  'incomplete',
  'gbtBlocks',
  'gbtRestarted',
  'tagVerifiesOnlyWithEmptyAad',
  'validFrames',
  'length',
  'segmented',
  'control',
  'hcsOk',
  'fcsOk',
  'L',
  'C',
  'CI',
  'stsap',
  'dtsap',
  'checksumOk',
  'stopOk',
  'lengthByteWrapped',
  'version',
  'apdu',
  'layout',
  'obis',
  'type',
  'scaler',
  'unit',
  'index',
  'classId',
  'attribute',
  'quirk',
  'securityControl',
  'invocationCounter',
  'tagOk',
  'applicationContext',
  'associationResult',
  'diagnostic',
  'diagnosticSource',
  'dlmsVersion',
  'conformance',
  'maxPdu',
  'mechanism',
  'actionResult',
  'dataAccessResult',
  'last',
  'block',
])

/** The facts with everything withheld that could identify a meter or a home. */
export function withholdValues(facts: Json, name = ''): Json {
  if (facts === null) return null
  if (Array.isArray(facts)) return facts.map((inner: Json) => withholdValues(inner, name))
  if (typeof facts === 'object') {
    return Object.fromEntries(Object.entries(facts).map(([key, inner]) => [key, withholdValues(inner as Json, key)]))
  }
  return shown.has(name) ? facts : withheld
}

type Facts = { readonly [key: string]: Json }

/** Facts as lines of a tree: what is simple on one line, what has parts below it. */
export function factTree(facts: Facts): readonly string[] {
  const simple = Object.entries(facts).filter(([, value]) => isSimple(value))
  const parts = Object.entries(facts).filter(([, value]) => !isSimple(value) && !isEmpty(value))
  const items: (readonly string[])[] = [
    ...(simple.length > 0 ? [[simple.map(([key, value]) => `${key} ${text(value)}`).join(', ')]] : []),
    ...parts.map(([key, value]) => [key, ...children(value)]),
  ]
  return branches(items)
}

function children(value: Json): readonly string[] {
  if (!Array.isArray(value)) return factTree(value as Facts)
  return branches(
    value.map((item: Json, at: number) => {
      if (isSimple(item)) return [text(item)]
      if (isValue(item)) return [valueLine(item as Facts)]
      const [first = '', ...rest] = Array.isArray(item) ? [item.map(text).join(', ')] : factTree(item as Facts)
      return [`${at + 1}`, ...(first === '' ? [] : [first]), ...rest]
    }),
  )
}

function branches(items: readonly (readonly string[])[]): readonly string[] {
  return items.flatMap(([first = '', ...rest], at) => {
    const last = at === items.length - 1
    return [`${last ? '└─' : '├─'} ${first}`, ...rest.map((line) => `${last ? '  ' : '│ '} ${line}`)]
  })
}

const isSimple = (value: Json) => value === null || typeof value !== 'object'
const isEmpty = (value: Json) => typeof value === 'object' && value !== null && Object.keys(value).length === 0
const text = (value: Json) => (value === null ? 'none' : String(value))
const isValue = (item: Json) => typeof item === 'object' && item !== null && 'type' in item && 'value' in item

/** One value of a message: `1-0:1.8.0.255  double-long-unsigned  1234 x 10^-1 Wh = 123.4`. */
function valueLine(value: Facts): string {
  const name = value['obis'] ?? (value['index'] === undefined ? '' : `#${value['index']}`)
  const unit = value['unit'] === undefined || value['unit'] === null ? '' : ` ${value['unit']}`
  const plain = Array.isArray(value['value']) ? value['value'].map(text).join(', ') : text(value['value'] ?? null)
  return [`${name}`, `${value['type']}`, `${plain}${unit}`].filter((part) => part !== '').join('  ')
}
