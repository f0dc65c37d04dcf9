// One message as facts in the shape of a frame file's `expect.messages`.

import type { Json } from './expect.ts'
import { type Reading, readings } from './interpret/readings.ts'
import { plausibleTime, timeText } from './interpret/time.ts'
import type { Ciphered, Content } from './types.ts'
import type { DataResult, Message } from './wire/apdu/message.ts'
import { hexAt } from './wire/axdr-read.ts'
import { dateTimeLength, readDateTime } from './wire/date-time.ts'
import { obisText } from './wire/obis.ts'

type Facts = Record<string, Json>

/** A message, inside its ciphering if it had any. */
export function messageFacts(content: Content): Json {
  const plain = plainFacts(content)
  const { ciphered } = content
  if (ciphered === undefined) return plain
  const facts: Facts = { apdu: ciphered.wrapper, security: securityFacts(ciphered) }
  if (ciphered.plaintext !== undefined) facts['plaintext'] = hexAt(ciphered.plaintext, 0, ciphered.plaintext.length)
  facts['inner'] = plain
  return facts
}

/** The security header; `tagOk` only where a tag was checked. */
export function securityFacts(ciphered: Ciphered): Json {
  const facts: Facts = {
    securityControl: ciphered.control.toString(16).padStart(2, '0'),
    invocationCounter: ciphered.invocationCounter,
  }
  const title = ciphered.systemTitle
  if (title !== undefined) facts['systemTitle'] = hexAt(title, 0, title.length).toUpperCase()
  if (ciphered.tag === 'verified' || ciphered.tag === 'failed') facts['tagOk'] = ciphered.tag === 'verified'
  return facts
}

function plainFacts(content: Content): Json {
  const { message } = content
  const facts: Facts = { apdu: message.kind === 'data' ? 'axdr-data' : message.kind }
  switch (message.kind) {
    case 'data-notification':
    case 'access-response':
      facts['invokeId'] = message.invokeId
      facts['dateTime'] = message.timeAt < 0 ? null : timeFacts(message.bytes, message.timeAt, true)
      break
    case 'event-notification':
      facts['dateTime'] = message.timeAt < 0 ? null : timeFacts(message.bytes, message.timeAt, false)
      facts['classId'] = message.classId
      facts['obis'] = obisText(message.bytes, message.obisAt)
      facts['attribute'] = message.attribute
      break
    case 'get-response-normal':
      facts['invokeId'] = message.invokeId
      accessResult(facts, message.result)
      break
    case 'get-response-with-list':
      return { ...facts, invokeId: message.invokeId, results: resultList(message) }
    case 'get-response-with-datablock':
      facts['last'] = message.last
      facts['block'] = message.blockNumber
      if (message.block !== undefined) facts['blockData'] = hexAt(message.block, 0, message.block.length)
      accessResult(facts, message.result)
      break
    case 'action-response-normal':
      facts['invokeId'] = message.invokeId
      facts['actionResult'] = message.actionResult
      accessResult(facts, message.result)
      break
    case 'initiate-response':
      facts['dlmsVersion'] = message.dlmsVersion
      facts['conformance'] = message.conformance.toString(16).padStart(6, '0')
      facts['maxPdu'] = message.maxPdu
      facts['vaaName'] = message.vaaName.toString(16).padStart(4, '0')
      break
    case 'aare':
      facts['applicationContext'] = message.applicationContext
      facts['associationResult'] = message.associationResult
      facts['diagnostic'] = message.diagnostic
      facts['diagnosticSource'] = message.diagnosticSource
      if (message.respondingTitle !== undefined)
        facts['respondingTitle'] = hexAt(message.respondingTitle, 0, message.respondingTitle.length).toUpperCase()
      if (message.mechanism !== undefined) facts['mechanism'] = message.mechanism
      if (content.association !== undefined) facts['inner'] = messageFacts(content.association)
      break
    case 'aarq':
      if (message.applicationContext !== undefined) facts['applicationContext'] = message.applicationContext
      break
    case 'p1-telegram':
      facts['text'] = Buffer.from(message.bytes).toString('latin1')
      break
    case 'exception-response':
      facts['stateError'] = message.stateError
      facts['serviceError'] = message.serviceError
      break
    case 'confirmed-service-error':
      facts['service'] = message.service
      facts['error'] = message.error
      facts['code'] = message.code
      break
    case 'data':
      if (message.trailing.length > 0) facts['trailingBytes'] = hexAt(message.trailing, 0, message.trailing.length)
      break
    default:
      break
  }
  if ('quirk' in message && message.quirk !== undefined) facts['quirk'] = message.quirk
  const { layout, values } = readings(message)
  if (layout !== undefined) {
    facts['layout'] = layout
    facts['values'] = values.map((reading) => valueFacts(reading))
  }
  return facts
}

function accessResult(facts: Facts, result: DataResult | undefined): void {
  if (result !== undefined && 'accessResult' in result) facts['dataAccessResult'] = result.accessResult
}

function resultList(message: Message & { kind: 'get-response-with-list' }): Json {
  return message.results.map((result) => {
    if ('accessResult' in result) return { dataAccessResult: result.accessResult }
    const [reading] = readings({ kind: 'data', value: result.value, trailing: new Uint8Array(0) }).values
    if (reading === undefined) return null
    const { obis, index, ...facts } = valueFacts(reading)
    return facts
  })
}

function timeFacts(bytes: Uint8Array, at: number, withHex: boolean): Json {
  const time = readDateTime(bytes, at)
  const facts: Facts = withHex ? { hex: hexAt(bytes, at, dateTimeLength) } : {}
  facts['iso'] = plausibleTime(bytes, at) ? timeText(bytes, at) : null
  facts['deviation'] = time?.deviationMinutes ?? null
  facts['status'] = time?.status ?? null
  return facts
}

function valueFacts(reading: Reading): Facts {
  const facts: Facts = { obis: reading.obis ?? null, type: reading.type }
  if (reading.raw !== undefined) facts['raw'] = typeof reading.raw === 'bigint' ? reading.raw.toString() : reading.raw
  if (reading.scaler !== undefined) facts['scaler'] = reading.scaler
  if (reading.unit !== undefined) facts['unit'] = reading.unit
  facts['value'] = reading.value
  const { octets } = reading
  if (octets !== undefined) facts['hex'] = hexAt(octets, 0, octets.length)
  if (reading.index !== undefined) facts['index'] = reading.index
  if (reading.classId !== undefined) facts['classId'] = reading.classId
  if (reading.attribute !== undefined) facts['attribute'] = reading.attribute
  return facts
}
