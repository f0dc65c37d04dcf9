import type { Operation, ResourceKind } from '../../schemas/access.ts'
import type { Label } from '../../schemas/label.ts'
import type { TopicName } from '../../schemas/topics.ts'

/** Settings of a topic by Kafka's names, values as text. */
export type Configs = Readonly<Record<string, string>>

/** One right as Kafka holds it: of a principal, on one resource or on all whose names begin so, from one host or `*`. */
export interface AclBinding {
  /** `User:<name>`. */
  readonly principal: string
  readonly host: string
  readonly resource: ResourceKind | 'other'
  /** `*` stands for all. */
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operation: Operation | 'all' | 'other'
  readonly permission: 'allow' | 'deny'
}

/** A topic as schemas/ wants it. */
export interface DeclaredTopic {
  readonly name: TopicName
  readonly label: Label
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: Configs
}

export interface Declaration {
  /** In the order of the data. */
  readonly topics: readonly DeclaredTopic[]
  /** How late a reading may be, in ms. */
  readonly horizonMs: number
  /** Rights of our principals; `undefined` leaves rights alone. */
  readonly acls: readonly AclBinding[] | undefined
  /** Avro schema by subject. */
  readonly schemas: ReadonlyMap<string, string>
}

/** A topic as the brokers hold it. */
export interface ActualTopic {
  readonly partitions: number
  /** Of the partition that has the fewest replicas. */
  readonly replicationFactor: number
  readonly configs: Configs
  /** Whether it holds any record now. */
  readonly holdsRecords: boolean
}

/** How a declared schema stands to the newest one that a registry holds under its subject. */
export type SchemaStanding = 'same' | 'new' | 'compatible' | 'incompatible'

/** What is there. */
export interface Topology {
  readonly brokers: number
  readonly topics: ReadonlyMap<string, ActualTopic>
  /** `undefined`: the brokers have no authorizer, so everybody may do everything, or nobody asked. */
  readonly acls: readonly AclBinding[] | undefined
  /** By subject; `undefined` where there is no registry to ask. */
  readonly schemas: ReadonlyMap<string, SchemaStanding> | undefined
}

/** One change, done by one request. */
export type Step =
  | { readonly kind: 'register-schema'; readonly subject: string; readonly standing: 'new' | 'compatible' }
  | { readonly kind: 'remove-acl'; readonly acl: AclBinding }
  | {
      readonly kind: 'change-config'
      readonly topic: string
      readonly name: string
      readonly from: string | undefined
      readonly to: string
    }
  | {
      readonly kind: 'create-topic'
      readonly topic: string
      readonly partitions: number
      readonly replicationFactor: number
      readonly configs: Configs
    }
  | { readonly kind: 'grow-topic'; readonly topic: string; readonly from: number; readonly to: number }
  | { readonly kind: 'add-acl'; readonly acl: AclBinding }

export const refusalCodes = [
  'partitions_shrink',
  'partitions_uneven',
  'keys_would_move',
  'cleanup_changes',
  'chain_compacted',
  'retention_too_short',
  'records_would_go',
  'stamps_untrue',
  'replicas_too_few',
  'schema_incompatible',
  'no_authorizer',
] as const
export type RefusalCode = (typeof refusalCodes)[number]

/** Why a plan may not be carried out, and what to do: one sentence. One of them stops the whole plan. */
export interface Refusal {
  readonly code: RefusalCode
  readonly on: string
  readonly says: string
}

export const findingCodes = ['right_too_wide', 'right_foreign', 'right_denied', 'replicas_fewer'] as const
export type FindingCode = (typeof findingCodes)[number]

/** What differs, and this plan does not change: one sentence that says what to do. */
export interface Finding {
  readonly code: FindingCode
  readonly on: string
  readonly says: string
}

/** What has to change so that what is there is what is declared. */
export interface Plan {
  /** In the order in which they are done. */
  readonly steps: readonly Step[]
  readonly refusals: readonly Refusal[]
  readonly findings: readonly Finding[]
}

export interface PlanOptions {
  /** Shorten retention even where older records are then deleted. */
  readonly mayDeleteRecords?: boolean
  /** Take rights away that our principals have on our resources beyond what is declared. */
  readonly removeAcls?: boolean
}
