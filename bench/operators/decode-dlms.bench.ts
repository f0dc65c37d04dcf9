// What decoding costs, as ratios to bare AES-GCM decryption of the same bytes in the same run, on captured frames.
//   npm run bench -- decode-dlms [--quick]
// Time is processor time of this thread, so that other load on the machine does not count; subject and yardstick take turns in short rounds,
// and the ratio is the median over the rounds.
import { createDecipheriv, createSecretKey } from 'node:crypto'
import { decode } from '../../operators/decode-dlms/decode.ts'
import type { CompiledProfile } from '../../operators/decode-dlms/interpret/interval-profile.ts'
import { readings } from '../../operators/decode-dlms/interpret/readings.ts'
import { intervalReadings } from '../../operators/decode-dlms/intervals.ts'
import { intervalProfiles } from '../../operators/decode-dlms/profiles/index.ts'
import type { DecodeContext, Decoded } from '../../operators/decode-dlms/types.ts'
import { dataTree } from '../../operators/decode-dlms/wire/axdr-read.ts'
import { framer } from '../../operators/decode-dlms/wire/framer.ts'
import type { Framing } from '../../operators/decode-dlms/wire/scan.ts'
import { bytesOf, type CapturedFrame, frameById } from '../../test/operators/decode-dlms/frames.ts'
import { bytes, generalGlo, joined, keysFor, testKeys, wrapper } from '../../test/operators/decode-dlms/make.ts'
import { type Figure, report } from '../report.ts'

const quick = process.argv.includes('--quick')
const rounds = quick ? 9 : 25
// Processor time of a thread is told in steps of some milliseconds: a round must be long against them.
const roundMillis = 80

type Work = () => unknown

function nanosOf(work: Work, times: number): number {
  const started = process.threadCpuUsage()
  for (let k = 0; k < times; k++) work()
  const { user, system } = process.threadCpuUsage(started)
  return ((user + system) * 1000) / times
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number
}

/** Median ratio of subject to yardstick over rounds, and the median nanoseconds of each. */
function compare(subject: Work, yardstick: Work): { ratio: number; subjectNanos: number; yardstickNanos: number } {
  const warm = 20_000
  const subjectTimes = Math.ceil((roundMillis * 1e6) / nanosOf(subject, warm))
  const yardstickTimes = Math.ceil((roundMillis * 1e6) / nanosOf(yardstick, warm))
  const pairs = Array.from(
    { length: rounds },
    () => [nanosOf(subject, subjectTimes), nanosOf(yardstick, yardstickTimes)] as const,
  )
  return {
    ratio: median(pairs.map(([first, second]) => first / second)),
    subjectNanos: median(pairs.map(([first]) => first)),
    yardstickNanos: median(pairs.map(([, second]) => second)),
  }
}

/** AES-GCM of a general-glo APDU with everything prepared beforehand: cipher object, nonce, associated data, text and tag in, plaintext out. */
function bareDecryption(apdu: Uint8Array, key: Uint8Array, ak: Uint8Array): Work {
  const prefix = apdu[10] === 0x82 ? 3 : apdu[10] === 0x81 ? 2 : 1
  const bodyAt = 10 + prefix
  const secret = createSecretKey(key)
  const nonce = joined(apdu.subarray(2, 10), apdu.subarray(bodyAt + 1, bodyAt + 5))
  const aad = joined(apdu.subarray(bodyAt, bodyAt + 1), ak)
  const text = apdu.subarray(bodyAt + 5, apdu.length - 12)
  const tag = apdu.subarray(apdu.length - 12)
  const options = { authTagLength: 12 }
  return () => {
    const decipher = createDecipheriv('aes-128-gcm', secret, nonce, options)
    decipher.setAAD(aad)
    decipher.setAuthTag(tag)
    const plaintext = decipher.update(text)
    decipher.final()
    return plaintext
  }
}

function contextOf(frame: CapturedFrame, transport: DecodeContext['transport']): DecodeContext {
  const keys = {
    encryption: createSecretKey(Buffer.from(frame.key ?? '', 'hex')),
    authentication: createSecretKey(Buffer.from(frame.authKey ?? '', 'hex')),
  }
  return { transport, keys: () => keys }
}

function profileOf(id: string): CompiledProfile {
  const profile = intervalProfiles.get(id)
  if (profile === undefined) throw new Error(`no profile ${id}`)
  return profile
}

function messageOf(decoded: Decoded) {
  if (decoded.outcome !== 'message') throw new Error(`expected a message, got ${decoded.outcome}`)
  return decoded.content.message
}

function treeOf(decoded: Decoded) {
  const message = messageOf(decoded)
  if (message.kind !== 'data-notification' || message.value === undefined) throw new Error('expected a push')
  return dataTree(message.value)
}

const figures: Figure[] = []
const perSecond = (nanos: number): number => 1e9 / nanos

// 1. A ciphered push of 477 bytes with 65 values, in HDLC.
const long = frameById('hdlc_kamstrup_omnipower')
const longFrame = bytesOf(long)
const longContext = contextOf(long, 'hdlc')
const hex = (text: string | null | undefined): Uint8Array => bytes(text ?? '')
const longBare = bareDecryption(longFrame.subarray(11, longFrame.length - 3), hex(long.key), hex(long.authKey))
const longDecode = compare(() => messageOf(decode(longFrame, longContext)), longBare)
const longTree = compare(() => treeOf(decode(longFrame, longContext)), longBare)
const longReadings = compare(() => readings(messageOf(decode(longFrame, longContext))), longBare)
figures.push(
  { name: 'ciphered push, 65 values: decode / bare AES-GCM', value: longDecode.ratio, unit: 'x', goal: '<= 2.5' },
  {
    name: 'ciphered push, 65 values: decode and value tree / bare AES-GCM',
    value: longTree.ratio,
    unit: 'x',
    goal: '<= 2.5',
  },
  {
    name: 'ciphered push, 65 values: decode and printable readings / bare AES-GCM',
    value: longReadings.ratio,
    unit: 'x',
  },
  { name: 'ciphered push, 65 values: decode', value: perSecond(longDecode.subjectNanos), unit: '/s' },
  { name: 'bare AES-GCM of its 447 bytes', value: perSecond(longDecode.yardstickNanos), unit: '/s' },
)

// 2. A short ciphered push through the wrapper: a captured one, and one with interval energy that is read out.
const short = frameById('u9n-udp-01')
const shortFrame = bytesOf(short)
const shortContext = contextOf(short, 'wrapper')
const shortDecode = compare(
  () => messageOf(decode(shortFrame, shortContext)),
  bareDecryption(shortFrame.subarray(8), hex(short.key), hex(short.authKey)),
)
const interval = bytes(
  '0f 00000001 00 0104 0202 09060000010000ff 090c07ea031d070c1e0000ff8880 0202 0906000060 0a01ff 1100' +
    '0203 09060100011d00ff 06000001f4 0202 0f00 161e 0203 09060100010800ff 060098967f 0202 0f00 161e',
)
const intervalFrame = wrapper(generalGlo(interval, 0x30, 7))
const intervalKeys = keysFor(0)
const intervalContext: DecodeContext = { transport: 'wrapper', keys: () => intervalKeys }
const profile = profileOf('interval-30min')
const read: Work = () => {
  const found = intervalReadings(messageOf(decode(intervalFrame, intervalContext)), profile)
  if (!('readings' in found)) throw new Error(found.reason)
  return found
}
const intervalRead = compare(
  read,
  bareDecryption(
    intervalFrame.subarray(8),
    testKeys.encryption.subarray(0, 16),
    testKeys.authentication.subarray(0, 16),
  ),
)
figures.push(
  {
    name: 'short ciphered push in the wrapper: decode / bare AES-GCM',
    value: shortDecode.ratio,
    unit: 'x',
    goal: '<= 1.6',
  },
  { name: 'short ciphered push in the wrapper: decode', value: perSecond(shortDecode.subjectNanos), unit: '/s' },
  {
    name: 'interval push (4 values) in the wrapper: decode and interval readings / bare AES-GCM',
    value: intervalRead.ratio,
    unit: 'x',
    goal: '<= 1.6',
  },
  {
    name: 'interval push (4 values) in the wrapper: decode and interval readings',
    value: perSecond(intervalRead.subjectNanos),
    unit: '/s',
  },
)

// 3. A plain HDLC list of 396 bytes.
const list = frameById('ams-gh1119-1')
const listFrame = bytesOf(list)
const listContext: DecodeContext = { transport: 'hdlc', keys: () => undefined, minimumProtection: 'none' }
const listDecode = compare(() => messageOf(decode(listFrame, listContext)), longBare)
const listTree = compare(() => treeOf(decode(listFrame, listContext)), longBare)
figures.push(
  {
    name: 'plain HDLC list of 396 bytes: decode',
    value: perSecond(listDecode.subjectNanos),
    unit: '/s',
    goal: '>= 150000',
  },
  {
    name: 'plain HDLC list of 396 bytes: decode and value tree',
    value: perSecond(listTree.subjectNanos),
    unit: '/s',
    goal: '>= 150000',
  },
)

// 4. The worst that 64 KiB can do, per kind of attack.
const size = 65_536
const filled = (pattern: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: size }, (_, at) => pattern[at % pattern.length] as number)
const body = (text: string): Uint8Array => bytes(`0f 00000001 00 ${text}`)
const hostile: readonly (readonly [string, Framing | undefined, Uint8Array])[] = [
  ['flags', 'hdlc', filled(bytes('7e'))],
  ['openings of the longest frame', 'hdlc', filled(bytes('7ea7ff'))],
  ['good headers with bad frames', 'hdlc', filled(longFrame.subarray(0, 300))],
  ['M-Bus openings', 'mbus', filled(bytes('68fafa68'))],
  ['M-Bus frames of one byte value', 'mbus', filled(bytes('68'))],
  ['array of nulls', undefined, joined(body('01 82 fff0'), new Uint8Array(65_520))],
  ['array of empty structures', undefined, joined(body('01 82 7f00'), filled(bytes('0200')).subarray(0, 65_024))],
  [
    'compact array of many nulls a byte',
    undefined,
    joined(body('13 02 02 01 7530 00 11 82 fe00'), new Uint8Array(65_024)),
  ],
  ['deep nesting', undefined, joined(body(''), filled(bytes('0101')).subarray(0, 65_000))],
  ['one long string', undefined, joined(body('09 82 fe00'), new Uint8Array(65_024))],
]
let worst = 0
let worstName = ''
for (const [name, framing, input] of hostile) {
  const attempt: Work = () => {
    if (framing !== undefined) {
      const open = framer(framing)
      return [open.push(input), open.end()]
    }
    const decoded = decode(input, { ...listContext, transport: 'apdu' })
    return decoded.outcome === 'message' ? intervalReadings(decoded.content.message, profile) : decoded
  }
  const once = nanosOf(attempt, 40)
  const millis = nanosOf(attempt, Math.min(20_000, Math.ceil((2 * roundMillis * 1e6) / Math.max(once, 1e3)))) / 1e6
  figures.push({ name: `64 KiB, ${name}`, value: millis, unit: 'ms' })
  if (millis > worst) [worst, worstName] = [millis, name]
}
figures.push({ name: `64 KiB, worst (${worstName})`, value: worst, unit: 'ms', goal: '<= 5' })

report('decode-dlms', figures)
