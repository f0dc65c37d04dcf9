export type { RedisConnectionOptions, RedisNode } from './client.ts'
export { RedisSettingsError, type RedisSettingsErrorCode, redisSettingsErrorCodes } from './errors.ts'
export { redisViewCommands } from './scripts.ts'
export { openRedisView, type RedisViewOptions } from './state-view.ts'
