import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, pipelineMetrics, prometheusMetrics } from '../../../connectors/prometheus/index.ts'
import { busyBatch, reportEverything } from './facts.ts'

const started = (options: { process?: boolean; now?: number } = {}) =>
  prometheusMetrics({
    clock: { now: () => options.now ?? 1_700_000_060_000 },
    version: '1.2.3',
    process: options.process ?? false,
  })

/** The samples of a page, by name and labels as printed. */
async function page(metrics: ReturnType<typeof started>): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

const counted: readonly (readonly [string, number])[] = [
  ['pipeline_records_received_total{pipeline="readings",operator="decodeDlms"}', 20],
  ['pipeline_records_emitted_total{pipeline="readings",operator="decodeDlms"}', 16],
  ['pipeline_records_dropped_total{pipeline="readings",operator="decodeDlms",reason="duplicate"}', 2],
  ['pipeline_records_rejected_total{pipeline="readings",operator="decodeDlms",reason="fcs_mismatch"}', 2],
  ['pipeline_inputs_total{pipeline="readings",fate="emitted",reason=""}', 12],
  ['pipeline_inputs_total{pipeline="readings",fate="rejected",reason="fcs_mismatch"}', 2],
  ['pipeline_inputs_total{pipeline="readings",fate="dropped",reason="duplicate"}', 4],
  ['pipeline_sent_records_total{pipeline="readings",topic="household.readings"}', 12],
  ['pipeline_sent_bytes_total{pipeline="readings",topic="household.readings"}', 1_800],
  ['pipeline_batch_records_sum{pipeline="readings"}', 20],
  ['pipeline_batch_seconds_count{pipeline="readings"}', 2],
  ['pipeline_transactions_total{pipeline="readings",outcome="committed"}', 1],
  ['pipeline_assignments_total{pipeline="readings",step="running"}', 1],
  ['pipeline_running_partitions{pipeline="readings"}', 1],
  ['pipeline_retries_total{pipeline="readings"}', 1],
  ['pipeline_halted{pipeline="readings"}', 1],
  ['pipeline_progress_timestamp_seconds{pipeline="readings",partition="3"}', 1_700_000_000],
  ['pipeline_watermark_lag_seconds{pipeline="readings",partition="3"}', 60],
  ['meterveil_build_info{version="1.2.3"}', 1],
]

test('adds the facts of batches up', async () => {
  const metrics = started()
  reportEverything(metrics.observer)
  metrics.observer.batch('readings', 3, busyBatch)
  const samples = await page(metrics)
  for (const [sample, value] of counted) assert.equal(samples.get(sample), value, sample)
})

test('the live output is the catalogue: names, types, labels and help', async () => {
  const metrics = started({ process: true })
  reportEverything(metrics.observer)
  const text = await metrics.text()
  const live = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
  const expected = catalogue
    .filter(({ platform }) => platform === undefined || platform === process.platform)
    .map(({ name, type }) => `${name} ${type}`)
  assert.deepEqual(live.sort(), expected.sort())
  for (const { name, help, labels, type } of Object.values(pipelineMetrics)) {
    assert.ok(text.includes(`# HELP ${name} ${help}\n`), name)
    const suffix = type === 'histogram' ? '_sum' : ''
    const sample = new RegExp(`^${name}${suffix}\\{([^}]*)\\}`, 'm').exec(text)
    const shown = [...(sample?.[1] ?? '').matchAll(/(\w+)=/g)].map(([, label]) => label)
    assert.deepEqual(shown, labels, name)
  }
})

test('names follow the convention: base units, _total for counters only', () => {
  for (const { name, type } of Object.values(pipelineMetrics)) {
    assert.match(name, /^(pipeline|meterveil)_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.doesNotMatch(name, /_(ms|millis|minutes|kb|count)(_|$)/)
  }
})

test('no label names a meter, a household, a group or a message', async () => {
  const allowed = ['pipeline', 'operator', 'topic', 'reason', 'partition', 'fate', 'outcome', 'step', 'version']
  for (const { labels } of Object.values(pipelineMetrics)) {
    for (const label of labels) assert.ok(allowed.includes(label), label)
  }
  const metrics = started()
  reportEverything(metrics.observer)
  assert.ok(!(await metrics.text()).includes('4711'))
})

test('a lost partition is reported no longer', async () => {
  const metrics = started()
  reportEverything(metrics.observer)
  metrics.observer.assignment('readings', 3, 'lost')
  const samples = await page(metrics)
  assert.equal(samples.get('pipeline_running_partitions{pipeline="readings"}'), 0)
  assert.ok(![...samples.keys()].some((sample) => sample.includes('partition="3"')))
})

test('two registries in one process do not mix', async () => {
  const [one, other] = [started(), started()]
  reportEverything(one.observer)
  const samples = await page(other)
  assert.ok(!samples.has('pipeline_retries_total{pipeline="readings"}'))
})
