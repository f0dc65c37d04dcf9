import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Clock } from '../../operators/contract/clock.ts'
import type { Fate, Observer } from '../../operators/contract/observer.ts'
import { type MetricSpec, pipelineMetrics as specs } from './catalogue.ts'

export interface PrometheusOptions {
  /** Tells the lag at scrape time; decides nothing. */
  readonly clock: Pick<Clock, 'now'>
  /** Version shown in meterveil_build_info. */
  readonly version: string
  /** Whether to show the metrics of the process too. Default true. */
  readonly process?: boolean
}

/** An observer, and the page that a Prometheus server scrapes. */
export interface PrometheusMetrics {
  readonly observer: Observer
  readonly contentType: string
  /** The page in the text format. */
  readonly text: () => Promise<string>
}

/**
 * Counts what the runtime reports, in a registry of its own, so that several can live in one process. Labels are those of
 * the catalogue, all bounded; error texts are never shown.
 */
export function prometheusMetrics({ clock, version, process = true }: PrometheusOptions): PrometheusMetrics {
  const registry = new Registry()
  const { counter, gauge, histogram } = makers(registry)
  const received = counter(specs.received)
  const emitted = counter(specs.emitted)
  const dropped = counter(specs.dropped)
  const rejected = counter(specs.rejected)
  const operatorSeconds = counter(specs.operatorSeconds)
  const inputs = counter(specs.inputs)
  const sentRecords = counter(specs.sentRecords)
  const sentBytes = counter(specs.sentBytes)
  const batchSeconds = histogram(specs.batchSeconds)
  const batchRecords = histogram(specs.batchRecords)
  const transactions = counter(specs.transactions)
  const assignments = counter(specs.assignments)
  const running = gauge(specs.running)
  const paused = gauge(specs.paused)
  const retries = counter(specs.retries)
  const halted = gauge(specs.halted)
  const progress = gauge(specs.progress)
  const lag = gauge(specs.lag, (self) => {
    for (const { pipeline, partition, ms } of newest.values()) {
      self.set({ pipeline, partition }, Math.max(0, clock.now() - ms) / 1_000)
    }
  })
  gauge(specs.build).set({ version }, 1)
  if (process) collectDefaultMetrics({ register: registry })

  /** Newest append time processed, by pipeline and partition that this process works on. */
  const newest = new Map<string, { readonly pipeline: string; readonly partition: string; readonly ms: number }>()
  const working = new Map<string, Set<number>>()
  const full = new Map<string, Set<number>>()

  const observer: Observer = {
    batch: (pipeline, number, facts) => {
      const partition = String(number)
      for (const [operator, counts] of facts.operators) {
        received.inc({ pipeline, operator }, counts.received)
        emitted.inc({ pipeline, operator }, counts.emitted)
        operatorSeconds.inc({ pipeline, operator }, counts.seconds)
        for (const [reason, many] of counts.dropped) dropped.inc({ pipeline, operator, reason }, many)
        for (const [reason, many] of counts.rejected) rejected.inc({ pipeline, operator, reason }, many)
      }
      for (const [fate, many] of facts.fates) inputs.inc({ pipeline, ...fateLabels(fate) }, many)
      for (const [topic, sent] of facts.sent) {
        sentRecords.inc({ pipeline, topic }, sent.records)
        sentBytes.inc({ pipeline, topic }, sent.bytes)
      }
      batchSeconds.observe({ pipeline }, facts.seconds)
      batchRecords.observe({ pipeline }, facts.records)
      if (facts.progress <= 0) return
      progress.set({ pipeline, partition }, facts.progress / 1_000)
      newest.set(`${pipeline} ${partition}`, { pipeline, partition, ms: facts.progress })
    },
    transaction: (pipeline, outcome) => transactions.inc({ pipeline, outcome }),
    settled: () => {},
    assignment: (pipeline, partition, step) => {
      assignments.inc({ pipeline, step })
      const partitions = working.get(pipeline) ?? new Set()
      const waiting = full.get(pipeline) ?? new Set()
      if (step === 'running') {
        partitions.add(partition)
        waiting.delete(partition)
      }
      if (step === 'paused') {
        partitions.delete(partition)
        waiting.add(partition)
      }
      if (step === 'lost') {
        partitions.delete(partition)
        waiting.delete(partition)
        // Another process reports it from now on; two answers would contradict each other.
        newest.delete(`${pipeline} ${partition}`)
        progress.remove({ pipeline, partition: String(partition) })
        lag.remove({ pipeline, partition: String(partition) })
      }
      working.set(pipeline, partitions)
      full.set(pipeline, waiting)
      running.set({ pipeline }, partitions.size)
      paused.set({ pipeline }, waiting.size)
      halted.inc({ pipeline }, 0)
    },
    retry: (pipeline) => retries.inc({ pipeline }),
    halted: (pipeline) => halted.set({ pipeline }, 1),
  }
  return { observer, contentType: registry.contentType, text: () => registry.metrics() }
}

function makers(registry: Registry) {
  const base = ({ name, help, labels }: MetricSpec) => ({ name, help, labelNames: [...labels], registers: [registry] })
  return {
    counter: (spec: MetricSpec) => new Counter<string>(base(spec)),
    gauge: (spec: MetricSpec, collect?: (self: Gauge<string>) => void) =>
      new Gauge<string>({
        ...base(spec),
        ...(collect
          ? {
              collect() {
                collect(this)
              },
            }
          : {}),
      }),
    histogram: (spec: MetricSpec) => new Histogram<string>({ ...base(spec), buckets: [...(spec.buckets ?? [])] }),
  }
}

/** `rejected:fcs_mismatch` as two labels, so that a query can sum over reasons. */
function fateLabels(fate: Fate): { readonly fate: string; readonly reason: string } {
  const [name, reason = ''] = fate.split(':')
  return { fate: name as string, reason }
}
