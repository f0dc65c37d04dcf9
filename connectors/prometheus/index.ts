// What the runtime reports, as metrics for Prometheus.
export { catalogue, type MetricSpec, pipelineMetrics, processMetrics } from './catalogue.ts'
export { type PrometheusMetrics, type PrometheusOptions, prometheusMetrics } from './observer.ts'
