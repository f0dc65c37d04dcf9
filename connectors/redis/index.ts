// The view of keyed state in Redis or Valkey: a copy that can be thrown away.
export type { RedisConnectionOptions, RedisNode } from './client.ts'
export { RedisSettingsError, type RedisSettingsErrorCode, redisSettingsErrorCodes } from './errors.ts'
export { redisViewCommands } from './scripts.ts'
export { openRedisView, type RedisViewOptions } from './state-view.ts'
