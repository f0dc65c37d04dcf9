// What `meterveil run` reads before it starts, for a program that runs pipelines of its own in the same deployment.
export { type Connections, connectionsOf } from '../cli/connections.ts'
export { readRegisterTopic } from '../cli/register-topic.ts'
export { readSettings, type Settings, type SettingsSources } from '../runtime/settings.ts'
export { SettingsError } from '../runtime/settings-error.ts'
