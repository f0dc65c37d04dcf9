/** What is known about one metric before anything is measured. */
export interface MetricSpec {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[]
  /** Only where the operating system tells. */
  readonly platform?: 'linux'
}

const counter = (name: string, labels: readonly string[], help: string) =>
  ({ name, type: 'counter', labels, help }) as const
const gauge = (name: string, labels: readonly string[], help: string) =>
  ({ name, type: 'gauge', labels, help }) as const
const histogram = (name: string, labels: readonly string[], buckets: readonly number[], help: string) =>
  ({ name, type: 'histogram', labels, help, buckets }) as const

/**
 * Every metric of the pipelines. Labels are bounded sets: pipeline, operator, topic, reason, partition, fate, outcome and
 * step; never a meter, a household or a group. docs/metrics.md lists this table, and a test compares it with the live output.
 */
export const pipelineMetrics = {
  received: counter(
    'pipeline_records_received_total',
    ['pipeline', 'operator'],
    'Records that an operator received, in committed batches.',
  ),
  emitted: counter(
    'pipeline_records_emitted_total',
    ['pipeline', 'operator'],
    'Records that an operator passed on, in committed batches.',
  ),
  dropped: counter(
    'pipeline_records_dropped_total',
    ['pipeline', 'operator', 'reason'],
    'Records that an operator dropped on purpose; meterveil explain tells about a reason.',
  ),
  rejected: counter(
    'pipeline_records_rejected_total',
    ['pipeline', 'operator', 'reason'],
    'Faulty records that an operator sent to the dead-letter topic.',
  ),
  operatorSeconds: counter(
    'pipeline_operator_seconds_total',
    ['pipeline', 'operator'],
    'Time spent inside an operator, in seconds.',
  ),
  inputs: counter(
    'pipeline_inputs_total',
    ['pipeline', 'fate', 'reason'],
    'Input records by what became of them; every committed one is counted once.',
  ),
  sentRecords: counter(
    'pipeline_sent_records_total',
    ['pipeline', 'topic'],
    'Records committed to a sink topic, the dead-letter topic and the changelog included.',
  ),
  sentBytes: counter('pipeline_sent_bytes_total', ['pipeline', 'topic'], 'Bytes committed to a sink topic.'),
  batchSeconds: histogram(
    'pipeline_batch_seconds',
    ['pipeline'],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    'Time from the first record of a batch to its commit, in seconds.',
  ),
  batchRecords: histogram(
    'pipeline_batch_records',
    ['pipeline'],
    [0, 1, 10, 50, 100, 250, 500, 1_000, 2_000, 5_000],
    'Input records of a committed batch.',
  ),
  transactions: counter(
    'pipeline_transactions_total',
    ['pipeline', 'outcome'],
    'Transactions by outcome: committed, aborted, fenced, or unknown where the answer never came.',
  ),
  assignments: counter(
    'pipeline_assignments_total',
    ['pipeline', 'step'],
    'Steps of partition assignments: assigned, replayed or rebuilt (the view), running, paused (no room in a store), lost.',
  ),
  running: gauge('pipeline_running_partitions', ['pipeline'], 'Input partitions that this process is working on now.'),
  paused: gauge(
    'pipeline_paused_partitions',
    ['pipeline'],
    'Input partitions that take nothing in because Redis or the log has no room; they go on once there is some.',
  ),
  retries: counter(
    'pipeline_retries_total',
    ['pipeline'],
    'Infrastructure failures after which a partition was assigned again, or its group asked again; nothing is lost by them.',
  ),
  halted: gauge(
    'pipeline_halted',
    ['pipeline'],
    '1 where the pipeline stopped for good; the process then ends as soon as the other pipelines have finished their batch.',
  ),
  progress: gauge(
    'pipeline_progress_timestamp_seconds',
    ['pipeline', 'partition'],
    'Newest append time of the input processed so far, seconds since 1970.',
  ),
  lag: gauge(
    'pipeline_watermark_lag_seconds',
    ['pipeline', 'partition'],
    'Now minus pipeline_progress_timestamp_seconds. Without input it grows: in readings up to a minute, in publish and forecast until the next window is sealed or published.',
  ),
  build: gauge('meterveil_build_info', ['version'], 'Always 1; the label is the version that runs.'),
} as const satisfies Record<string, MetricSpec>

/** Metrics of the process itself, as prom-client names them. */
export const processMetrics: readonly MetricSpec[] = [
  counter('process_cpu_seconds_total', [], 'Total user and system CPU time spent in seconds.'),
  counter('process_cpu_user_seconds_total', [], 'Total user CPU time spent in seconds.'),
  counter('process_cpu_system_seconds_total', [], 'Total system CPU time spent in seconds.'),
  gauge('process_start_time_seconds', [], 'Start time of the process since unix epoch in seconds.'),
  gauge('process_resident_memory_bytes', [], 'Resident memory size in bytes.'),
  { ...gauge('process_virtual_memory_bytes', [], 'Virtual memory size in bytes.'), platform: 'linux' },
  { ...gauge('process_heap_bytes', [], 'Process heap size in bytes.'), platform: 'linux' },
  { ...gauge('process_open_fds', [], 'Number of open file descriptors.'), platform: 'linux' },
  { ...gauge('process_max_fds', [], 'Maximum number of open file descriptors.'), platform: 'linux' },
  gauge('nodejs_eventloop_lag_seconds', [], 'Lag of event loop in seconds.'),
  gauge('nodejs_eventloop_lag_min_seconds', [], 'The minimum recorded event loop delay.'),
  gauge('nodejs_eventloop_lag_max_seconds', [], 'The maximum recorded event loop delay.'),
  gauge('nodejs_eventloop_lag_mean_seconds', [], 'The mean of the recorded event loop delays.'),
  gauge('nodejs_eventloop_lag_stddev_seconds', [], 'The standard deviation of the recorded event loop delays.'),
  gauge('nodejs_eventloop_lag_p50_seconds', [], 'The 50th percentile of the recorded event loop delays.'),
  gauge('nodejs_eventloop_lag_p90_seconds', [], 'The 90th percentile of the recorded event loop delays.'),
  gauge('nodejs_eventloop_lag_p99_seconds', [], 'The 99th percentile of the recorded event loop delays.'),
  gauge('nodejs_active_resources', ['type'], 'Active resources that keep the event loop alive, by type.'),
  gauge('nodejs_active_resources_total', [], 'Total number of active resources.'),
  gauge('nodejs_active_handles', ['type'], 'Active libuv handles, by type.'),
  gauge('nodejs_active_handles_total', [], 'Total number of active handles.'),
  gauge('nodejs_active_requests', ['type'], 'Active libuv requests, by type.'),
  gauge('nodejs_active_requests_total', [], 'Total number of active requests.'),
  gauge('nodejs_heap_size_total_bytes', [], 'Process heap size from Node.js in bytes.'),
  gauge('nodejs_heap_size_used_bytes', [], 'Process heap size used from Node.js in bytes.'),
  gauge('nodejs_external_memory_bytes', [], 'Node.js external memory size in bytes.'),
  gauge('nodejs_heap_space_size_total_bytes', ['space'], 'Heap space size total in bytes.'),
  gauge('nodejs_heap_space_size_used_bytes', ['space'], 'Heap space size used in bytes.'),
  gauge('nodejs_heap_space_size_available_bytes', ['space'], 'Heap space size available in bytes.'),
  gauge('nodejs_version_info', ['version', 'major', 'minor', 'patch'], 'Node.js version info.'),
  { ...histogram('nodejs_gc_duration_seconds', ['kind'], [], 'Garbage collection duration by kind.') },
]

/** Every metric that a process may show. */
export const catalogue: readonly MetricSpec[] = [...Object.values(pipelineMetrics), ...processMetrics]
