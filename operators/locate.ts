import type { MeterFrame } from '../schemas/meter-frame.ts'
import type { LocatedFrame } from './contract/located-frame.ts'
import type { Operator, Spec } from './contract/operator.ts'
import type { Register } from './contract/register.ts'

export const locateSpec = {
  name: 'locate',
  drops: [],
  rejects: ['meter_unknown', 'meter_misplaced', 'frame_oversize'],
} as const satisfies Spec

/**
 * Bytes of a frame that is passed on, at the most: it comes in within what a record may hold, but goes out with headers of
 * ours, or from a batch that was compressed, and a record over the limit would end the pipeline at every start.
 */
const mostForwardedBytes = 900_000

const sizeOf = ({ connection, listener, zone, bytes }: MeterFrame): number =>
  bytes.length + [connection, listener, zone].reduce((sum, text) => sum + Buffer.byteLength(text), 0)

export interface LocateOptions {
  /** Who is where: looked up by connection at the time of receipt. Required. */
  readonly register: Register
}

/**
 * Finds the measuring point that a frame comes from, and tells the frames of other partitions from its own. Follow it with
 * two branches of one stream: `keepPlaced` for the pipeline itself, `forwardMisplaced` for the way back into the input
 * topic; each frame goes through exactly one of them.
 *
 * *Delivery*: a frame on a partition that does not own its point is emitted as misplaced once; having been passed on and
 * still misplaced, it is rejected as `meter_misplaced`, so that two registers that disagree cannot send it to and fro.
 * One too long to be passed on is rejected as `frame_oversize`.
 * *Order*: kept. *State*: none. *Privacy*: keeps the label; the register entry that joins the frame is identifying.
 */
export function locate({ register }: LocateOptions): Operator<MeterFrame, LocatedFrame> {
  return {
    spec: locateSpec,
    process: (batch, out) => {
      for (const record of batch) {
        const { value: frame, origin } = record
        const entry = register.byConnection(frame.connection, origin.receivedAt)
        if (entry === undefined) {
          out.reject(record, 'meter_unknown')
          continue
        }
        const misplaced = entry.partition !== origin.partition
        if (misplaced && frame.forwarded > 0) out.reject(record, 'meter_misplaced')
        else if (misplaced && sizeOf(frame) > mostForwardedBytes) out.reject(record, 'frame_oversize')
        else out.emit(record, { entry, frame, misplaced })
      }
    },
  }
}
