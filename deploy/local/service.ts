import type { FetchContext } from './fetch.ts'
import type { Probe } from './probe.ts'
import type { NodeSpec, ServiceName, ServiceRecord } from './state.ts'

/** What `prepare` is told. */
export interface PrepareContext extends FetchContext {
  /** Folder of this service's configuration and data. */
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** How many nodes; 1, or 3 for a cluster. */
  readonly nodes: number
  /** Whether clients expect the usual ports, or any will do. */
  readonly usualPorts: boolean
  /** Names of principals that get a certificate and a password; if there are any, Kafka lets nobody else in. */
  readonly principals: readonly string[]
  /** What was here before, whose ports are kept where they are free. */
  readonly before: ServiceRecord | undefined
}

/** A service that is ready to be started. */
export interface Prepared {
  readonly title: string
  readonly address: string
  readonly nodes: readonly NodeSpec[]
  readonly secured?: boolean
  readonly ports: Readonly<Record<string, number>>
}

/** How one kind of service is brought up. */
export interface Service {
  readonly name: ServiceName
  readonly title: string
  /** Variable whose address wins over everything. */
  readonly variable: string
  /** Whether what answers under an address given from outside is such a service. */
  readonly reach: (address: string) => Probe
  /** Whether its programs are on this machine, installed or fetched before. */
  readonly installed: (context: Pick<PrepareContext, 'cache' | 'env'>) => Promise<boolean>
  /** Finds or fetches the programs and writes the configuration; starts nothing that stays. */
  readonly prepare: (context: PrepareContext) => Promise<Prepared>
  /** Throws `ServicesError` where the data in the folder are of other nodes or principals than are asked for. */
  readonly requireSameData?: (context: Pick<PrepareContext, 'folder' | 'nodes' | 'principals'>) => void
  /** Whether a node of ours is ready for clients. */
  readonly ready: (node: NodeSpec) => Promise<boolean>
  /** Once every node is ready. */
  readonly complete?: (prepared: Pick<Prepared, 'nodes'>) => Promise<void>
  /** How long a node may take to end by itself, in milliseconds. */
  readonly graceMs: number
}
