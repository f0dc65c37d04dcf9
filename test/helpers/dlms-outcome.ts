// What must hold of every outcome of the decoder, whatever the bytes were.
import assert from 'node:assert/strict'
import { reasons } from '../../operators/contract/reasons.ts'
import {
  checkOctetLayout,
  type OctetLayout,
  octetReadings,
} from '../../operators/decode-dlms/interpret/octet-layout.ts'
import { readings } from '../../operators/decode-dlms/interpret/readings.ts'
import { labelled } from '../../operators/decode-dlms/interpret/registry.ts'
import { intervalReadings } from '../../operators/decode-dlms/intervals.ts'
import { intervalProfiles, positionalLayouts } from '../../operators/decode-dlms/profiles/index.ts'
import type { Content, Decoded } from '../../operators/decode-dlms/types.ts'
import type { Message } from '../../operators/decode-dlms/wire/apdu/message.ts'
import {
  type AxdrValue,
  isContainer,
  nextOf,
  nodeCount,
  offsetOf,
  sizeOf,
  tagOf,
} from '../../operators/decode-dlms/wire/axdr.ts'
import { dataTree } from '../../operators/decode-dlms/wire/axdr-read.ts'
import { axdrName, axdrTag, fixedSize } from '../../operators/decode-dlms/wire/axdr-types.ts'
import { decodePending, encodePending } from '../../operators/decode-dlms/wire/pending.ts'
import { decodeReasons } from '../../operators/decode-dlms/wire/reasons.ts'
import { defaultJoinLimits, type JoinLimits } from '../../operators/decode-dlms/wire/segments.ts'

const closed: ReadonlySet<string> = new Set(decodeReasons)
const profiles = [...intervalProfiles.values()]
const layouts = [...positionalLayouts.values()]
const octetLayouts = [checkOctetLayout(octetLayout(12)), checkOctetLayout(octetLayout(30))]

function octetLayout(length: number): OctetLayout {
  const field = { signed: true, littleEndian: true, obis: '1-0:1.8.0.255', scaler: -3, unit: 30 }
  const fields = [
    { ...field, at: 0, size: 8 },
    { ...field, at: length - 3, size: 3, signed: false },
  ]
  return { kind: 'octets', id: `octets-${length}`, version: 1, describes: 'For tests.', length, fields }
}

/** Most that one decode may leave allocated, in bytes. */
export const memoryBound = 1_048_576

/** Most nodes in all values of one message: the budget of one value. */
export const nodeBound = 32_768

/** Throws unless the outcome is a value tree, a part, the link layer or a closed reason, within its bounds, and fit for everybody who reads it. */
export function checkOutcome(decoded: Decoded, unit: Uint8Array, limits: JoinLimits = defaultJoinLimits): void {
  checkPending(decoded, limits)
  if (decoded.outcome === 'refused') {
    assert.ok(closed.has(decoded.reason) && decoded.reason in reasons, `reason ${decoded.reason} is not closed`)
    const most = Math.max(unit.length, limits.bytes)
    assert.ok(decoded.byteOffset >= 0 && decoded.byteOffset <= most, `offset ${decoded.byteOffset} of ${most}`)
    assert.ok(Number.isInteger(decoded.byteOffset))
    return
  }
  assert.ok(['message', 'pending', 'link', 'duplicate'].includes(decoded.outcome))
  if (decoded.outcome !== 'message' && decoded.outcome !== 'pending') return
  if (decoded.content !== undefined) checkContent(decoded.content)
  assert.ok(heldBytes(decoded) <= memoryBound, `holds ${heldBytes(decoded)} bytes`)
}

function checkContent({ message, association }: Content): void {
  let nodes = 0
  for (const value of valuesOf(message)) {
    nodes += nodeCount(value)
    checkTape(value)
    labelled(value, layouts)
    octetReadings(value, octetLayouts)
  }
  assert.ok(nodes <= nodeBound, `${nodes} nodes`)
  readings(message)
  for (const profile of profiles) {
    const found = intervalReadings(message, profile)
    if ('reason' in found) assert.ok(closed.has(found.reason))
    else for (const { energyWh } of found.readings) assert.ok(Number.isSafeInteger(energyWh) && energyWh >= 0)
  }
  if (association !== undefined) checkContent(association)
}

// The state must survive the changelog: a join that cannot be written would halt the pipeline.
function checkPending({ pending }: Decoded, limits: JoinLimits): void {
  const { segment, block } = pending
  if (segment === undefined && block === undefined) return
  for (const join of [segment, block]) {
    if (join !== undefined)
      assert.ok(join.bytes.length <= limits.bytes, `an open join holds ${join.bytes.length} bytes`)
  }
  const bytes = encodePending(pending)
  assert.deepEqual(encodePending(decodePending(bytes)), bytes)
}

/** All values that a message holds, each with a tape of its own. */
export function valuesOf(message: Message): readonly AxdrValue[] {
  switch (message.kind) {
    case 'data-notification':
      return message.entries?.map(({ value }) => value) ?? (message.value === undefined ? [] : [message.value])
    case 'event-notification':
    case 'data':
      return [message.value]
    case 'access-response':
      return message.values
    case 'get-response-with-list':
      return message.results.flatMap((result) => ('value' in result ? [result.value] : []))
    case 'get-response-normal':
    case 'get-response-with-datablock':
    case 'action-response-normal':
      return message.result !== undefined && 'value' in message.result ? [message.result.value] : []
    default:
      return []
  }
}

/** Throws unless a tape is one whole tree whose nodes lie inside the bytes: what every reader of it relies on. */
export function checkTape(value: AxdrValue): void {
  const { bytes, words, root } = value
  const end = root + nodeCount(value)
  assert.ok(root >= 0 && end * 3 <= words.length, 'the tape ends outside its words')
  assert.equal(nextOf(words, root), end)
  // Where the containers around the node end, innermost last, and how many elements they still miss.
  const ends = [end]
  const missing = [1]
  for (let node = root; node < end; node++) {
    while (ends.at(-1) === node) {
      assert.equal(missing.pop(), 0, 'a container holds another number of elements than it says')
      ends.pop()
    }
    const tag = tagOf(words, node)
    const at = offsetOf(words, node)
    const size = sizeOf(words, node)
    const next = nextOf(words, node)
    assert.ok(axdrName[tag] !== undefined, `type ${tag}`)
    assert.ok(next > node && next <= (ends.at(-1) as number), 'a node reaches out of its container')
    missing[missing.length - 1] = (missing.at(-1) as number) - 1
    if (isContainer(tag)) {
      assert.ok(at <= bytes.length)
      ends.push(next)
      missing.push(size)
      continue
    }
    const length = tag === axdrTag.bitString ? Math.ceil(size / 8) : size
    assert.ok(size >= 0 && at + length <= bytes.length, 'a value lies outside the bytes')
    const fixed = fixedSize[tag] as number
    assert.ok(next === node + 1 && (fixed < 0 || fixed === size), 'a value has another size than its type')
  }
  for (const left of missing) assert.equal(left, 0, 'a container holds another number of elements than it says')
}

/**
 * What an outcome keeps alive, counted from its shapes and not from the collector's state: 12 bytes a node, bytes of plaintexts and joins (views into
 * the unit cost nothing), and for each result of a list 96 bytes, which is more than V8 takes for its one or two objects and the place in the list.
 */
export function heldBytes(decoded: Decoded): number {
  const { segment, block } = decoded.pending
  let held = (segment?.bytes.length ?? 0) + (block?.bytes.length ?? 0)
  let content: Content | undefined
  if (decoded.outcome === 'message' || decoded.outcome === 'pending') content = decoded.content
  for (; content !== undefined; content = content.association) {
    const { message, ciphered } = content
    held += ciphered?.plaintext?.length ?? 0
    const values = valuesOf(message)
    for (const value of values) held += nodeCount(value) * 12
    const results = 'results' in message ? message.results.length : 0
    held += Math.max(values.length, results) * 96
    if (message.kind === 'get-response-with-datablock' && message.result !== undefined) {
      if ('value' in message.result) held += message.result.value.bytes.length
    }
  }
  return held
}

/** The message as a value that can be compared: bytes and trees, without where they lie in memory. */
export function printed(decoded: Decoded): unknown {
  if (decoded.outcome === 'refused') return { outcome: 'refused', reason: decoded.reason, at: decoded.byteOffset }
  if (decoded.outcome !== 'message') return { outcome: decoded.outcome }
  const { message, ciphered } = decoded.content
  const plaintext = ciphered?.plaintext === undefined ? undefined : Buffer.from(ciphered.plaintext).toString('hex')
  const text = message.kind === 'p1-telegram' ? Buffer.from(message.bytes).toString('hex') : undefined
  return {
    outcome: 'message',
    kind: message.kind,
    trust: decoded.trust,
    counter: ciphered?.invocationCounter,
    plaintext,
    text,
    values: valuesOf(message).map((value) => dataTree(value, value.root)),
  }
}
