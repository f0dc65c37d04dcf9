// Metrics and health over HTTP, for this machine alone.
export { type Health, healthObserver, type PipelineHealth } from './health.ts'
export { type HttpOptions, type HttpServer, ListenError, type ListenErrorCode, serveHttp } from './server.ts'
