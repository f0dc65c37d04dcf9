import { healthObserver, serveHttp } from '../../connectors/http/index.ts'
import { prometheusMetrics } from '../../connectors/prometheus/index.ts'
import { systemClock } from '../../operators/contract/clock.ts'
import type { Observer } from '../../operators/contract/observer.ts'
import type { Pipeline } from '../runtime/stream.ts'
import type { Terminal } from './terminal.ts'

/** Metrics and health of a run: served where a port was asked for, and always followed. */
export async function observe(
  pipelines: readonly Pipeline[],
  options: { readonly terminal: Terminal; readonly version: string; readonly metricsPort: number | undefined },
): Promise<{ readonly observer: Observer; readonly health: Observer; readonly close: () => Promise<void> }> {
  const { terminal, version, metricsPort } = options
  const metrics = prometheusMetrics({ clock: systemClock, version })
  const { observer: health, health: state } = healthObserver(pipelines.map(({ name }) => name))
  if (metricsPort === undefined) return { observer: metrics.observer, health, close: async () => {} }
  const server = await serveHttp({ port: metricsPort, metrics, health: state })
  terminal.record({ kind: 'serving', url: server.url })
  terminal.line(`Metrics at ${server.url}/metrics, health at ${server.url}/health/ready`)
  return { observer: metrics.observer, health, close: server.close }
}
