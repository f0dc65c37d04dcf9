import type { KafkaLogOptions } from '../../../connectors/kafka/index.ts'
import type { RedisNode } from '../../../connectors/redis/index.ts'
import type { ReleasePolicy } from '../../../operators/privacy/release/policy.ts'
import type { Step, TaskOptions } from '../../../pipelines/runtime/index.ts'
import type { EpochMs } from '../../../schemas/codec.ts'
import type { WrongProtocol } from './wrong-protocols.ts'

/** Where a worker strikes itself down: the nth time that it passes a moment. */
export interface Strike {
  /** One of the four pipelines. */
  readonly pipeline: string
  /** A step of the runtime, or the drawing of noise. */
  readonly step: Step | 'draw'
  readonly at: 'before' | 'after'
  readonly nth: number
  /** SIGSTOP makes a zombie of it, which the supervisor may wake. */
  readonly signal: 'SIGKILL' | 'SIGSTOP'
}

/** Everything a worker has to know; plain data, sent once when it is born. */
export interface WorkerSettings {
  readonly brokers: readonly string[]
  readonly redis: RedisNode
  /** Base address of the registry. */
  readonly registry: string
  /** Begins the names of all topics, groups, owners and keys of one stage. */
  readonly prefix: string
  /** File with the entries of the register, as `v8.serialize` writes them. */
  readonly register: string
  /** Seed of the fleet, from which the key ring follows. */
  readonly seed: number
  readonly partitions: number
  readonly groupPartitions: number
  readonly policy: ReleasePolicy
  /** The pipelines to run; all of them by default. */
  readonly pipelines?: readonly string[]
  /** Its fixed share of the partitions; without it the groups assign them. */
  readonly ordinal?: { readonly index: number; readonly of: number }
  /** What else its client of Kafka has to know: who it is, to begin with. */
  readonly client?: Pick<KafkaLogOptions, 'ssl'>
  readonly sessionTimeoutMs: number
  /** Longest call to Kafka and to Redis. */
  readonly deadlineMs: number
  readonly redisTimeoutMs: number
  readonly task: Partial<TaskOptions>
  /** A wrong protocol to follow instead of the right one. */
  readonly wrong?: WrongProtocol
}

/** What the supervisor tells a worker. */
export type Order =
  | { readonly kind: 'settings'; readonly settings: WorkerSettings }
  | { readonly kind: 'run'; readonly now: EpochMs; readonly strike?: Strike }
  | { readonly kind: 'strike'; readonly strike: Strike | null }
  | { readonly kind: 'time'; readonly now: EpochMs; readonly id: number }
  | { readonly kind: 'proceed' }
  | { readonly kind: 'stop' }

/** What a worker tells the supervisor. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'running' }
  | { readonly kind: 'time'; readonly id: number }
  /** It waits at a point of a wrong protocol until it is told to proceed. */
  | { readonly kind: 'waiting'; readonly where: string }
  /** A commit of a pipeline was answered; the time is the machine's. */
  | { readonly kind: 'committed'; readonly pipeline: string; readonly partition: number; readonly at: EpochMs }
  /** Counters of what it processed, when it stops in good order. */
  | { readonly kind: 'fates'; readonly fates: Readonly<Record<string, number>> }
