// The log over Apache Kafka, as a pipeline runs on it. Topics and rights of the deployment are made by `meterveil topics apply`.
export { kafkaLog } from './log.ts'
export type { KafkaLogOptions } from './options.ts'
