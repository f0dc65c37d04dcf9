export { catalogue, type MetricSpec, pipelineMetrics, processMetrics } from './catalogue.ts'
export { type PrometheusMetrics, type PrometheusOptions, prometheusMetrics } from './observer.ts'
