export { kafkaLog } from './log.ts'
export type { KafkaLogOptions } from './options.ts'
