import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Owned } from './process.ts'

/** The services, in the order in which they are shown. */
export const serviceNames = ['kafka', 'registry', 'redis'] as const
export type ServiceName = (typeof serviceNames)[number]

/** One process of a service, and how to start it. */
export interface NodeSpec extends Command {
  readonly name: string
  /** Loopback port that clients connect to. */
  readonly port: number
  /** Class-data archive that the JVM writes when it ends, and where to keep it. */
  readonly archive?: { readonly draft: string; readonly kept: string }
}

export interface NodeRecord extends NodeSpec {
  /** Null while it does not run. */
  readonly process: Owned | null
}

/** A service that was brought up in a folder; written before its processes are ready, so that `down` finds all of them. */
export interface ServiceRecord {
  readonly service: ServiceName
  /** Name and version of what runs. */
  readonly title: string
  /** Kafka: `host:port,…`; registry and Redis: a URL. */
  readonly address: string
  /** Empty where Docker runs it. */
  readonly nodes: readonly NodeRecord[]
  /** Whether clients must show who they are; only Kafka. */
  readonly secured?: boolean
  /** The Compose project that it runs in, if Docker runs it. */
  readonly project?: string
  /** Every port of the service by its use, taken again at the next start if still free. */
  readonly ports: Readonly<Record<string, number>>
}

const fileOf = (folder: string, service: ServiceName) => join(folder, `${service}.json`)

/** The record of a service in a folder, or undefined if it was never brought up there. */
export function readRecord(folder: string, service: ServiceName): ServiceRecord | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder, service), 'utf8')) as ServiceRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a record whole or not at all. */
export function writeRecord(folder: string, record: ServiceRecord): void {
  mkdirSync(folder, { recursive: true })
  const file = fileOf(folder, record.service)
  writeFileSync(`${file}.part`, `${JSON.stringify(record, null, 2)}\n`)
  renameSync(`${file}.part`, file)
}

/** Forgets a service and deletes its data. */
export function wipe(folder: string, service: ServiceName): void {
  rmSync(fileOf(folder, service), { force: true })
  rmSync(join(folder, service), { recursive: true, force: true })
}
