export { deleteTopics } from './delete-topics.ts'
export { RefusedError } from './errors.ts'
export {
  type InspectedOperation,
  inspectKafka,
  type KafkaInspection,
  type TopicStanding,
} from './inspect.ts'
export { kafkaLog } from './log.ts'
export type { KafkaLogOptions } from './options.ts'
export type * from './topology.ts'
export { type BrokerStep, openTopology, type TopologyAdmin } from './topology-admin.ts'
export { type DeclareOptions, declareTopology } from './topology-declared.ts'
export { planTopology } from './topology-plan.ts'
