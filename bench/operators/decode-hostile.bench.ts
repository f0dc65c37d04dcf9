// The longest that 64 KiB of hostile input can keep the decoder busy: every attack of hostile-units.ts, as it is and inside good ciphering (a meter
// that has its keys may be hostile too), read to interval readings; streams through a framer; and a message in as many segments as fit.
//   npm run bench -- decode-hostile [--quick]
// Told is the median over the runs of each input, and the worst of them is held against the goal. Runs of other inputs lie between those of one, so
// that nothing is measured under code that was made for it alone. Thousands of whole units in one stream are thousands of inputs, each with an outcome
// of its own: what they cost is told per unit and has no part in the worst.
import { createCipheriv, createSecretKey } from 'node:crypto'
import { decode } from '../../operators/decode-dlms/decode.ts'
import type { CompiledProfile } from '../../operators/decode-dlms/interpret/interval-profile.ts'
import { intervalReadings } from '../../operators/decode-dlms/intervals.ts'
import { intervalProfiles } from '../../operators/decode-dlms/profiles/index.ts'
import type { DecodeContext } from '../../operators/decode-dlms/types.ts'
import { framer } from '../../operators/decode-dlms/wire/framer.ts'
import { nothingPending } from '../../operators/decode-dlms/wire/pending.ts'
import type { Framing } from '../../operators/decode-dlms/wire/scan.ts'
import { hdlcFrames } from '../fleet/encode/link.ts'
import { type Figure, report } from '../report.ts'
import { hostileBytes, hostileStreams, hostileUnits } from './hostile-units.ts'

const runs = process.argv.includes('--quick') ? 15 : 101
const profile = profileOf('interval-30min')

function profileOf(id: string): CompiledProfile {
  const found = intervalProfiles.get(id)
  if (found === undefined) throw new Error(`the profile ${id} is missing`)
  return found
}

interface Attack {
  readonly name: string
  readonly attempt: () => unknown
}

function onDecode(name: string, unit: Uint8Array, context: DecodeContext): Attack {
  return {
    name,
    attempt: () => {
      const decoded = decode(unit, context)
      return decoded.outcome === 'message' ? intervalReadings(decoded.content.message, profile) : decoded
    },
  }
}

const encryption = createSecretKey(Buffer.alloc(16, 1))
const authentication = createSecretKey(Buffer.alloc(16, 2))
const title = Buffer.from('4d56530000000001', 'hex')

/** general-glo-ciphering, suite 0, authenticated and encrypted, with a length of four bytes. */
function ciphered(plaintext: Uint8Array): Uint8Array {
  const counter = Buffer.from('00000001', 'hex')
  const cipher = createCipheriv('aes-128-gcm', encryption, Buffer.concat([title, counter]), { authTagLength: 12 })
  cipher.setAAD(Buffer.concat([Buffer.from([0x30]), authentication.export()]))
  const text = Buffer.concat([cipher.update(plaintext), cipher.final()])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(5 + text.length + 12)
  const head = Buffer.concat([Buffer.from([0xdb, 8]), title, Buffer.from([0x84]), length, Buffer.from([0x30]), counter])
  return Buffer.concat([head, text, cipher.getAuthTag()])
}

/** A stream that is cut into units and decoded with what waits, as a connection does it. */
function onConnection(name: string, framing: Framing, bytes: Uint8Array, chunk: number): Attack {
  return {
    name,
    attempt: () => {
      const open = framer(framing)
      let pending = nothingPending
      for (let at = 0; at < bytes.length; at += chunk) {
        for (const event of open.push(bytes.subarray(at, at + chunk))) {
          if (event.kind !== 'unit') continue
          const context = { transport: framing, keys: () => undefined, minimumProtection: 'none', pending } as const
          pending = decode(event.bytes, context).pending
        }
      }
      return [open.end(), pending]
    },
  }
}

const keys = { encryption, authentication }
const withKeys: DecodeContext = { transport: 'apdu', keys: () => keys }
const segments = (bytes: number): Uint8Array =>
  Buffer.concat(hdlcFrames(new Uint8Array(20_000), bytes)).subarray(0, hostileBytes)

const attacks: readonly Attack[] = [
  ...hostileUnits().flatMap(({ name, unit, context }) => [
    onDecode(name, unit, context),
    onDecode(`ciphered: ${name}`, ciphered(unit), withKeys),
  ]),
  ...hostileStreams()
    .filter(({ units }) => units === 0)
    .flatMap(({ name, framing, bytes }) => [
      onConnection(`${framing} stream: ${name}`, framing, bytes, hostileBytes),
      onConnection(`${framing} stream in chunks of 100 bytes: ${name}`, framing, bytes, 100),
    ]),
  onConnection('hdlc stream: segments of 4 bytes', 'hdlc', segments(4), hostileBytes),
  onConnection('hdlc stream: segments of 16 bytes', 'hdlc', segments(16), hostileBytes),
  onConnection('hdlc stream: segments of 1,024 bytes', 'hdlc', segments(1_024), hostileBytes),
]

const swarms = hostileStreams().filter(({ units }) => units > 0)
const swarmAttacks = swarms.map(({ name, framing, bytes }) => onConnection(name, framing, bytes, hostileBytes))

function mediansOf(tried: readonly Attack[]): readonly number[] {
  const millis = tried.map((): number[] => [])
  for (let run = -3; run < runs; run++) {
    for (const [k, { attempt }] of tried.entries()) {
      const started = process.hrtime.bigint()
      attempt()
      if (run >= 0) (millis[k] as number[]).push(Number(process.hrtime.bigint() - started) / 1e6)
    }
  }
  return millis.map((times) => times.sort((a, b) => a - b)[times.length >> 1] as number)
}

const medians = mediansOf(attacks)
const figures: Figure[] = attacks.map(({ name }, k) => ({ name, value: medians[k] as number, unit: 'ms' }))
const worst = figures.reduce((most, figure) => (figure.value > most.value ? figure : most))
const perUnit = mediansOf(swarmAttacks).map((value, k): Figure => {
  const { name, framing, units } = swarms[k] as (typeof swarms)[number]
  return { name: `${framing} stream of ${units} ${name}, per unit`, value: (value * 1_000) / units, unit: 'µs' }
})
report('decode-hostile', [
  ...figures,
  ...perUnit,
  { name: `worst: ${worst.name}`, value: worst.value, unit: 'ms', goal: '<= 5' },
])
