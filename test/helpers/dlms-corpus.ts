// The frames on which the properties of the decoder are tried: all captured ones with their keys, and frames of the simulated fleet.
import { createSecretKey } from 'node:crypto'
import { createFleet } from '../../bench/fleet/index.ts'
import { decode } from '../../operators/decode-dlms/decode.ts'
import { decodeDump } from '../../operators/decode-dlms/dump.ts'
import { protectionName } from '../../operators/decode-dlms/security.ts'
import type { DecodeContext, Decoded, KeyLookup } from '../../operators/decode-dlms/types.ts'
import { readLink, type Transport } from '../../operators/decode-dlms/wire/link.ts'
import { nothingPending, type Pending } from '../../operators/decode-dlms/wire/pending.ts'
import { defaultJoinLimits } from '../../operators/decode-dlms/wire/segments.ts'
import { allFrames, bytesOf, type CapturedFrame } from '../operators/decode-dlms/frames.ts'

/** One message, or one capture, with what it takes to decode it. */
export interface Sample {
  readonly name: string
  readonly transport: Transport
  /** Transport units in their order. A damaged capture without any is one unit as it is. */
  readonly units: readonly Uint8Array[]
  /** The bytes as they came: for a damaged capture more than its units. */
  readonly stream: Uint8Array
  /** Keys and policy; nothing pending. */
  readonly context: DecodeContext
}

/** Decodes units one after the other on one connection. */
export function decodeAll(
  units: readonly Uint8Array[],
  context: DecodeContext,
  subject: typeof decode = decode,
): readonly Decoded[] {
  let pending: Pending = context.pending ?? nothingPending
  return units.map((unit) => {
    const decoded = subject(unit, { ...context, pending })
    pending = decoded.pending
    return decoded
  })
}

/** The 188 captured frames. Their policy is what `meterveil decode` takes: authenticated encryption where an authentication key is known. */
export function capturedSamples(): readonly Sample[] {
  return allFrames().map((frame) => {
    const stream = bytesOf(frame)
    const context = contextOf(frame, stream)
    const { transport } = context
    const { units } = decodeDump(stream, context)
    const cut = units.map(({ at, length }) => stream.slice(at, at + length))
    return { name: frame.id, transport, units: cut.length > 0 ? cut : [stream], stream, context }
  })
}

function contextOf(frame: CapturedFrame, stream: Uint8Array): DecodeContext {
  const isWrapped = frame.transport === 'apdu' && stream[0] === 0 && stream[1] === 1
  const transport = frame.transport.startsWith('hdlc') ? 'hdlc' : isWrapped ? 'wrapper' : frame.transport
  const title = frame.systemTitle ? Uint8Array.from(Buffer.from(frame.systemTitle, 'hex')) : undefined
  return {
    transport: transport as Transport,
    keys: keysOf(frame),
    systemTitle: title,
    minimumProtection: frame.key && frame.authKey && title === undefined ? 'authenticated-encrypted' : 'none',
    serviceProtection: 'none',
  }
}

function keysOf(frame: CapturedFrame): KeyLookup {
  if (!frame.key) return () => undefined
  const encryption = createSecretKey(Buffer.from(frame.key, 'hex'))
  const authentication = frame.authKey ? createSecretKey(Buffer.from(frame.authKey, 'hex')) : undefined
  const keys = { encryption, authentication, broadcast: encryption, dedicated: encryption }
  return () => keys
}

/** Messages of simulated meters of suites 0 and 2 in all carriages: wrapper, HDLC whole and segmented, block transfer over the wrapper. */
export function fleetSamples(count = 60): readonly Sample[] {
  const fleet = createFleet({
    seed: 4,
    homes: 60,
    start: Date.UTC(2026, 5, 1) - 3_600_000,
    meterMix: { suite2: 0.5, objectLists: 0.5, hdlc: 0.25, hdlcSegmented: 0.25, blocks: 0.25 },
    faults: { ...quiet, lateDay: 0.05 },
  })
  const samples: Sample[] = []
  const open = new Map<string, { units: Uint8Array[]; pending: Pending }>()
  for (const { arrivals } of fleet.arrivals()) {
    for (const { receivedAt, frame } of arrivals) {
      const entry = fleet.register.byConnection(frame.connection, receivedAt)
      if (entry === undefined) continue
      const keys = fleet.keyring.meterKeys(entry.keyRef)
      const context: DecodeContext = {
        transport: frame.transport,
        keys: () => keys,
        systemTitle: Uint8Array.from(Buffer.from(entry.systemTitle, 'hex')),
        strictTitle: true,
      }
      const line = open.get(frame.connection) ?? { units: [], pending: nothingPending }
      const decoded = decode(frame.bytes, { ...context, pending: line.pending })
      line.units.push(Uint8Array.from(frame.bytes))
      line.pending = decoded.pending
      open.set(frame.connection, line)
      if (decoded.outcome === 'pending') continue
      open.delete(frame.connection)
      const { units } = line
      const name = `fleet ${samples.length}`
      samples.push({ name, transport: frame.transport, units, stream: joined(units), context })
      if (samples.length === count) return samples
    }
  }
  return samples
}

const quiet = { corrupt: 0, replayed: 0, weakened: 0, unknown: 0, wrongKeyMeters: 0, duplicates: 0, stormDuplicates: 0 }

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

/** An APDU as the link layer gives it, or what was inside its ciphering, on its own. */
export interface BareApdu {
  readonly name: string
  readonly bytes: Uint8Array
  /** Transport `apdu`, with the keys and policy of the sample. */
  readonly context: DecodeContext
}

/** The APDUs of samples as they stand in the link layer, joined if they came in segments. */
export function apdusOf(samples: readonly Sample[]): readonly BareApdu[] {
  return samples.flatMap(({ name, units, transport, context }) => {
    let open: Pending['segment']
    return units.flatMap((unit) => {
      try {
        const payload = readLink(unit, transport, open, 0, defaultJoinLimits)
        open = payload.open
        if (payload.bytes === undefined || transport === 'axdr') return []
        const bytes = payload.bytes.slice(payload.at, payload.end)
        return [{ name, bytes, context: { ...context, transport: 'apdu' as const } }]
      } catch {
        return []
      }
    })
  })
}

/** What is inside the ciphering of samples, and the plain APDUs; all may be decoded without keys. */
export function plaintextsOf(samples: readonly Sample[]): readonly BareApdu[] {
  const context: DecodeContext = { transport: 'apdu', keys: () => undefined, minimumProtection: 'none' }
  return samples.flatMap(({ name, units, context: own }) =>
    decodeAll(units, own).flatMap((decoded): BareApdu[] => {
      if (decoded.outcome !== 'message') return []
      const { message, ciphered } = decoded.content
      if (ciphered?.plaintext !== undefined) return [{ name, bytes: Uint8Array.from(ciphered.plaintext), context }]
      const whole = message.kind === 'data-notification' && message.bytes[0] === 0x0f
      return whole ? [{ name, bytes: Uint8Array.from(message.bytes), context }] : []
    }),
  )
}

/** A message whose tag was verified, as the APDU that was ciphered, under a policy that demands no less than it has. */
export interface ProtectedApdu extends BareApdu {
  readonly plaintext: Uint8Array
}

/** The authenticated messages among samples; every one of them decodes to `plaintext` as it stands. */
export function protectedOf(samples: readonly Sample[]): readonly ProtectedApdu[] {
  return apdusOf(samples).flatMap(({ name, bytes, context }) => {
    const decoded = decode(bytes, context)
    if (decoded.outcome !== 'message' || decoded.trust.tag !== 'verified') return []
    const { ciphered } = decoded.content
    const own = protectionName((ciphered?.control ?? 0) & 0x30)
    if (ciphered?.plaintext === undefined) return []
    return [
      {
        name,
        bytes,
        plaintext: Uint8Array.from(ciphered.plaintext),
        context: { ...context, minimumProtection: own, serviceProtection: own },
      },
    ]
  })
}
