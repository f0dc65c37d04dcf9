import { readdirSync, readFileSync } from 'node:fs'
import type { FrameRecord, Json } from '../../../operators/decode-dlms/expect.ts'

/** A captured frame with the facts that are expected of it. */
export interface CapturedFrame extends FrameRecord {
  readonly expect: { readonly [key: string]: Json }
  readonly notes?: string
}

const folder = new URL('../../fixtures/frames/', import.meta.url)

/** Names of the fixture files, without extension. */
export const frameFiles: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
  .sort()

/** Frames of one fixture file. */
export function framesOf(file: string): readonly CapturedFrame[] {
  return JSON.parse(readFileSync(new URL(`${file}.json`, folder), 'utf8')) as readonly CapturedFrame[]
}

/** All frames of all files. */
export function allFrames(): readonly CapturedFrame[] {
  return frameFiles.flatMap((file) => framesOf(file))
}

/** The frame with this id; throws if there is none. */
export function frameById(id: string): CapturedFrame {
  const found = allFrames().find((frame) => frame.id === id)
  if (found === undefined) throw new Error(`no captured frame ${id}`)
  return found
}

/** Bytes of a frame. */
export function bytesOf(frame: FrameRecord): Uint8Array {
  return Uint8Array.from(Buffer.from(frame.hex, 'hex'))
}
