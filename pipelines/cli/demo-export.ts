import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { topics } from '../../schemas/topics.ts'
import type { AnyTopic } from '../runtime/stream.ts'
import type { Scenario } from './demo-scenario.ts'

/** What the README names: neither topics whose records name meters in the clear, nor states of pipelines, nor `audit`. */
export const exported: readonly AnyTopic[] = [
  topics.householdReadings,
  topics.meterRejected,
  topics.loadPartials,
  topics.loadRestricted,
  topics.releaseLedger,
  topics.loadPublic,
  topics.forecastPublic,
]

export interface ExportedFile {
  readonly file: string
  readonly topic: string
  readonly label: string
  readonly records: number
}

/** Writes what the topics hold as NDJSON, one file a topic; bytes as hexadecimal. */
export async function exportTopics(scenario: Scenario, folder: string): Promise<ExportedFile[]> {
  mkdirSync(folder, { recursive: true })
  const files: ExportedFile[] = []
  for (const topic of exported) {
    const file = join(folder, `${topic.name}.ndjson`)
    const records = await scenario.read(topic)
    const stream = createWriteStream(file)
    for (const record of records) {
      if (!stream.write(`${JSON.stringify(record, plain)}\n`)) await once(stream, 'drain')
    }
    stream.end()
    await finished(stream)
    files.push({ file, topic: topic.name, label: topic.label, records: records.length })
  }
  return files
}

function plain(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  const own = (this as Record<string, unknown>)[key]
  return own instanceof Uint8Array ? Buffer.from(own).toString('hex') : value
}
