import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startNotes } from '../../../pipelines/cli/start-notes.ts'
import { readSettings } from '../../../pipelines/runtime/settings.ts'
import { bin, start } from './command.ts'
import { writeFleet } from './fleet-files.ts'

const all = ['readings', 'load', 'publish', 'forecast']
const kafka = { METERVEIL_KAFKA_BROKERS: 'localhost:9092', METERVEIL_KAFKA_TLS: 'true' }
const since = { METERVEIL_ATTRIBUTES_SINCE: '2026-11' }
const pinned = { METERVEIL_LEDGER_PIN_FILE: 'head.pin' }
const partitions = { METERVEIL_GROUP_PARTITIONS: '4' }
const [unpinned, untold, apart] = [
  /^Warning: the head of the ledger is not pinned: /,
  /^Note: attributes are told of no household: set attributesSince /,
  /^Note: forecasts of a whole and its parts need not add up: groupPartitions is 4, /,
]

describe('what run says of settings that are allowed', () => {
  const cases: readonly {
    readonly says: string
    readonly env: Readonly<Record<string, string>>
    readonly pipelines?: readonly string[]
    readonly notes: readonly RegExp[]
  }[] = [
    { says: 'all of it', env: { ...kafka, ...partitions }, notes: [unpinned, untold, apart] },
    { says: 'nothing where all is set', env: { ...kafka, ...since, ...pinned }, notes: [] },
    { says: 'nothing of a pin without Kafka', env: since, notes: [] },
    { says: 'nothing of a pin in development', env: { ...kafka, ...since, METERVEIL_MODE: 'development' }, notes: [] },
    {
      says: 'nothing of a pin where load runs elsewhere',
      env: { ...kafka, ...since },
      pipelines: ['readings', 'publish'],
      notes: [],
    },
    { says: 'nothing of attributes where readings runs elsewhere', env: kafka, pipelines: ['load'], notes: [unpinned] },
    {
      says: 'nothing of partitions where forecast runs elsewhere',
      env: { ...since, ...partitions },
      pipelines: ['readings', 'load'],
      notes: [],
    },
  ]
  for (const { says, env, pipelines = all, notes } of cases) {
    test(says, () => {
      const said = startNotes(readSettings({ env }), pipelines)
      assert.equal(said.length, notes.length, said.join('\n'))
      for (const [at, note] of notes.entries()) assert.match(said[at]!, note)
    })
  }

  test('run prints it on standard error once it has started, and goes on', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'meterveil-start-notes-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const { env } = writeFleet(folder)
    const running = start(['run', 'readings', '--json'], env, bin)
    await running.shows('"started"')
    running.process.kill('SIGINT')
    const { stdout, stderr, code } = await running.ended
    assert.equal(code, 130, stderr)
    assert.match(stderr, /^Note: attributes are told of no household: set attributesSince .*\n/)
    assert.doesNotMatch(stdout, /Note/)
  })
})
