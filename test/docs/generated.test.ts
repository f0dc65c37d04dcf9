/**
 * Pages hold blocks that are made from the code; this compares them. `UPDATE_DOCS=1 npm test -- docs/generated` writes them
 * anew.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type MetricSpec, pipelineMetrics, processMetrics } from '../../connectors/prometheus/index.ts'
import { redisViewCommands } from '../../connectors/redis/index.ts'
import { type Reason, reasons } from '../../operators/contract/reasons.ts'
import { ledgerFaults } from '../../operators/privacy/ledger/faults.ts'
import { type ReleaseReason, releaseReasons } from '../../operators/privacy/ledger/reasons.ts'
import { defaultPolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { exitCodes, exitCodeTexts } from '../../pipelines/cli/errors.ts'
import { registerFields } from '../../pipelines/cli/register-fields.ts'
import { settingSpecs } from '../../pipelines/runtime/settings-specs.ts'
import { defaultPrincipals, roleNames, roles } from '../../schemas/access.ts'
import { type RegisterEntry, registerEntryCodec } from '../../schemas/register-entry.ts'
import { type TopicLayout, topicSpecs, topics } from '../../schemas/topics.ts'
import { blocksOf, code, markdownTable, withBlocks } from './blocks.ts'
import { measuredTable } from './measured.ts'
import { utilityBlock } from './utility.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })]

const metricTable = (specs: readonly MetricSpec[]) =>
  markdownTable(
    ['metric', 'type', 'labels', 'what it tells'],
    specs.map(({ name, type, labels, help, platform }) => [
      code(name),
      type,
      labels.map(code).join(' '),
      platform ? `${help} Linux only.` : help,
    ]),
  )

const exampleEntry: RegisterEntry = {
  point: 'point-1',
  connection: 'connection-1',
  systemTitle: '4D56540000000001',
  validFrom: 1_767_225_600_000,
  validTo: null,
  direction: 'import',
  partition: 0,
  index: 0,
  groups: { utility: 'utility', region: 'region-1', substation: 'substation-1', feeder: 'feeder-1' },
  customerClass: 'residential',
  area: 'area-1',
  tariff: 'standard',
  heating: 'gas',
  dwelling: 'flat',
  timeZone: 'Europe/London',
  zone: 'main',
  profile: 'interval-30min',
  protection: 'authenticated-encrypted',
  keyRef: 'meter-1',
  fuseWhPerHour: 13_800,
  pointsAtConnection: 1,
}

const kept = ({ name, cleanup, retentionMs }: TopicLayout): string => {
  if (retentionMs === null) return cleanup === 'compact' ? 'the newest record of each key, for ever' : 'for ever'
  const days = retentionMs / 86_400_000
  const longer = topicSpecs(1, { horizonDays: 15 }).find((one) => one.name === name)?.retentionMs
  return longer === retentionMs ? `${days} days` : `\`horizonDays\` and ${days - 14} days, so ${days} days by default`
}

const fenced = (language: string, text: string) => `\n\`\`\`${language}\n${text.trim()}\n\`\`\`\n\n`

const renderers: Readonly<Record<string, () => string>> = {
  reasons: () =>
    markdownTable(
      ['reason', 'outcome', 'what happened', 'what to do'],
      (Object.keys(reasons) as Reason[]).map((reason) => {
        const { outcome, sentence, action } = reasons[reason]
        return [code(reason), outcome, sentence, action]
      }),
    ),
  'ledger-faults': () =>
    markdownTable(
      ['fault', 'what it is'],
      Object.entries(ledgerFaults).map(([fault, says]) => [code(fault), says]),
    ),
  'release-reasons': () =>
    markdownTable(
      ['reason', 'about', 'what it means', 'what to do'],
      Object.entries<ReleaseReason>(releaseReasons).map(([reason, { about, sentence, action }]) => [
        code(reason),
        about,
        sentence,
        action,
      ]),
    ),
  'pipeline-metrics': () => metricTable(Object.values(pipelineMetrics)),
  'process-metrics': () => metricTable(processMetrics),
  settings: () =>
    markdownTable(
      ['key', 'variable', 'may be', 'default', 'what it does'],
      settingSpecs.map(({ key, variable, range, fallback, help }) => [
        code(key),
        code(variable),
        range,
        fallback || 'none: required by `run`',
        help,
      ]),
    ),
  'exit-codes': () =>
    markdownTable(
      ['code', 'meaning'],
      Object.entries(exitCodes).map(([name, value]) => [`${value}`, exitCodeTexts[name as keyof typeof exitCodes]]),
    ),
  roles: () =>
    markdownTable(
      ['role', 'by default', 'this principal', 'reads', 'writes'],
      roleNames.map((role) => {
        const { does, reads, writes } = roles[role]
        return [
          code(role),
          defaultPrincipals[role].map(code).join(' ') || 'nobody',
          does,
          reads.map(code).join(', '),
          writes.map(code).join(', '),
        ]
      }),
    ),
  'redis-commands': () => fenced('', redisViewCommands.join(' ')),
  measured: () => measuredTable(root),
  utility: () => utilityBlock(root),
  topics: () =>
    markdownTable(
      ['topic', 'label', 'kept'],
      topicSpecs(1).map((layout) => [
        code(layout.name),
        Object.values(topics).find(({ name }) => name === layout.name)?.label ?? '',
        kept(layout),
      ]),
    ),
  'register-fields': () =>
    markdownTable(
      ['field', 'must be', 'what it says'],
      Object.entries(registerFields).map(([name, { may, says }]) => [code(name), may, says]),
    ),
  'register-entry': () => fenced('json', JSON.stringify(exampleEntry)),
  'own-pipeline': () => {
    const source = read('test/docs/own-pipeline.test.ts')
    const [, example] = /\/\/ example: begin\n([\s\S]*?)\/\/ example: end/.exec(source) ?? []
    return fenced('ts', example ?? '')
  },
}

const render = (name: string): string => {
  const renderer = renderers[name]
  assert.ok(renderer, `no block is named ${name}`)
  return renderer()
}

for (const path of pages) {
  const page = read(path)
  if (blocksOf(page).size === 0) continue
  test(`${path} says what the code says`, () => {
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(root, path), withBlocks(page, render))
    else assert.equal(page, withBlocks(page, render), 'write it anew: UPDATE_DOCS=1 npm test -- docs/generated')
  })
}

test('every block has its page', () => {
  const used = new Set(pages.flatMap((path) => [...blocksOf(read(path)).keys()]))
  assert.deepEqual([...used].sort(), Object.keys(renderers).sort())
})

test('a changed block is noticed', () => {
  const page = read('docs/reasons.md').replace('fcs_mismatch', 'fcs_missmatch')
  assert.notEqual(page, withBlocks(page, render))
})

test('the example of the register is an entry', () => {
  assert.deepEqual(registerEntryCodec.decode(registerEntryCodec.encode(exampleEntry)), exampleEntry)
})

test('the first paragraph states the yearly epsilon of the policy', () => {
  const { statement } = resolvePolicy(defaultPolicy).levels.utility
  const yearly = `epsilon ${statement[1].epsilonYear.toFixed(1)}`
  const readme = read('README.md')
  const first = readme.slice(readme.indexOf('\nMeterveil is')).split('\n\n')[0] as string
  assert.ok(first.includes(`**${yearly}**`), `${yearly} is missing in: ${first}`)
})
