// What a link frame says of itself, also where it is damaged: for people who look at a capture, not for the pipeline.

import { hexAt } from './wire/axdr-read.ts'
import { crcGood, crcRun } from './wire/crc.ts'
import { hdlcFlag, hdlcFrame, inspectHdlc } from './wire/hdlc.ts'
import { inspectMbus, mbusFrame } from './wire/mbus.ts'

/** Facts of one HDLC frame. `hcsOk` is null if there is no information field, hence no header check. */
export interface HdlcFacts {
  readonly length: number
  readonly segmented: boolean
  readonly dst: string
  readonly src: string
  readonly control: string
  readonly hcsOk: boolean | null
  readonly fcsOk: boolean
}

/** Facts of the HDLC frame whose opening flag is at `flagAt`; `undefined` if it is cut or has no readable header. */
export function hdlcFacts(bytes: Uint8Array, flagAt: number): HdlcFacts | undefined {
  let at = flagAt
  while (bytes[at] === hdlcFlag) at++
  const frame = hdlcFrame()
  const found = inspectHdlc(bytes, at, bytes.length, frame)
  const end = at + frame.length
  if (found === 'frame_missing' || frame.length < 7 || frame.controlAt <= at || end > bytes.length) return undefined
  const headerEnd = frame.controlAt + 1
  const bare = frame.length === headerEnd - at + 2
  return {
    length: frame.length,
    segmented: frame.segmented,
    dst: hexAt(bytes, frame.destinationAt, frame.sourceAt - frame.destinationAt),
    src: hexAt(bytes, frame.sourceAt, frame.controlAt - frame.sourceAt),
    control: hexAt(bytes, frame.controlAt, 1),
    hcsOk: bare ? null : crcRun(bytes, at, headerEnd + 2) === crcGood,
    fcsOk: crcRun(bytes, at, end) === crcGood,
  }
}

/** Facts of one M-Bus long frame. */
export interface MbusFacts {
  readonly L: number
  readonly lengthByteWrapped?: true
  readonly C: string
  readonly A: string
  readonly CI: string
  readonly stsap: string
  readonly dtsap: string
  readonly checksumOk: boolean
  readonly stopOk: boolean
}

/** Facts of the M-Bus frame that starts at `at`; `undefined` if it is cut. */
export function mbusFacts(bytes: Uint8Array, at: number): MbusFacts | undefined {
  const frame = mbusFrame()
  const found = inspectMbus(bytes, at, bytes.length, frame)
  if (found === 'incomplete' || found === 'frame_missing') return undefined
  return {
    L: frame.length,
    ...(frame.wrapped ? { lengthByteWrapped: true as const } : {}),
    C: hexAt(bytes, at + 4, 1),
    A: hexAt(bytes, at + 5, 1),
    CI: hexAt(bytes, at + 6, 1),
    stsap: hexAt(bytes, at + 7, 1),
    dtsap: hexAt(bytes, at + 8, 1),
    checksumOk: found !== 'checksum_mismatch' && found !== 'frame_length_mismatch',
    stopOk: found !== 'frame_length_mismatch',
  }
}
