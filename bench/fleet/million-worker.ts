import { parentPort, workerData } from 'node:worker_threads'
import { type PackedOptions, packRange } from './packed.ts'

/** A job: the options, and the ranges of homes to make one after the other. */
export interface MillionJob {
  readonly options: PackedOptions
  readonly ranges: readonly (readonly [number, number])[]
}

const { options, ranges } = workerData as MillionJob
for (const [from, to] of ranges) {
  const range = packRange(options, from, to)
  // `bytes` is a view of a larger buffer: only what is used is sent
  const bytes = range.frames.bytes.slice()
  const message = { from, range: { ...range, frames: { ...range.frames, bytes } } }
  const { offsets, receivedMs, home, flags } = range.frames
  parentPort?.postMessage(
    message,
    [bytes, offsets, receivedMs, home, flags, range.importWh, range.exportWh].map(
      ({ buffer }) => buffer as ArrayBuffer,
    ),
  )
}
