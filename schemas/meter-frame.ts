import { asBuffer, avroCodec } from './avro.ts'
import type { Codec } from './codec.ts'

/** `meter.frames` (identified): one transport unit as received. The time of receipt is the log's append time. */
export interface MeterFrame {
  /** Connection point the unit came in on. Identifying. */
  readonly connection: string
  /** Name of the listener that received it. */
  readonly listener: string
  /** Residency zone. */
  readonly zone: string
  readonly transport: Transport
  /** How often the pipeline has passed it on to the partition that owns its meter: 0 or 1. */
  readonly forwarded: number
  readonly bytes: Uint8Array
}

export const transports = ['wrapper', 'hdlc', 'mbus', 'apdu'] as const
/** Link layer of a transport unit: TCP/UDP wrapper (IEC 62056-47), HDLC (IEC 62056-46), M-Bus (EN 13757), bare APDU. */
export type Transport = (typeof transports)[number]

/** Codec of `meter.frames`. */
export const meterFrameCodec: Codec<MeterFrame> = avroCodec<MeterFrame, MeterFrame>('meter-frame', {
  toFields: ({ connection, listener, zone, transport, forwarded, bytes }) => ({
    connection,
    listener,
    zone,
    transport,
    forwarded,
    bytes: asBuffer(bytes),
  }),
  fromFields: ({ connection, listener, zone, transport, forwarded, bytes }) => ({
    connection,
    listener,
    zone,
    transport,
    forwarded,
    bytes,
  }),
})
