import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { LogError, type TopicSpec } from '../../../connectors/contract.ts'
import { openDurableLog, openLogView } from '../../../connectors/memory/index.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-view-'))
after(() => rmSync(folder, { recursive: true }))

const spec = (name: string, cleanup: TopicSpec['cleanup'] = 'delete'): TopicSpec => ({
  name,
  partitions: 1,
  timestamps: 'append',
  cleanup,
  retentionMs: null,
})
const record = (topic: string, text: string) => ({
  topic,
  partition: 0,
  key: Buffer.from('k'),
  value: Buffer.from(text),
})

/** Every file of a folder with its content and when it was changed. */
const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(path, name)).isFile())
    .sort()
    .map((name) => `${name} ${statSync(join(path, name)).mtimeMs} ${readFileSync(join(path, name)).toString('hex')}`)

async function viewed(path: string, topic: string): Promise<string[]> {
  const view = await openLogView({ folder: path })
  try {
    const { first, end } = await view.bounds(topic, 0, 'read_committed')
    return (await readRange(view, topic, 0, first, end)).map(({ value }) => Buffer.from(value ?? []).toString())
  } finally {
    await view.close()
  }
}

describe('a view of a folder', () => {
  it('shows what is committed while another holds the folder, and touches no file', async () => {
    const path = join(folder, 'held')
    const log = await openDurableLog({ folder: path, fsync: 'none' })
    await log.createTopics([spec('a')])
    await log.append([record('a', 'one')])
    const producer = await log.open('p', { timeoutMs: 60_000 })
    await producer.begin()
    await producer.send([record('a', 'two')])
    const before = filesOf(path)
    assert.deepEqual(await viewed(path, 'a'), ['one'], 'an open transaction is not shown')
    assert.deepEqual(filesOf(path), before)
    await producer.commit()
    assert.deepEqual(await viewed(path, 'a'), ['one', 'two'])
    await producer.close()
    await log.append([record('a', 'three')])
    await log.close()
    assert.deepEqual(await viewed(path, 'a'), ['one', 'two', 'three'])
  })

  it('leaves out a torn write, and leaves it where it is', async () => {
    const path = join(folder, 'torn')
    const log = await openDurableLog({ folder: path, fsync: 'none' })
    await log.createTopics([spec('a')])
    await log.append([record('a', 'one')])
    await log.close()
    appendFileSync(join(path, 'topics/a/0/0000000001.seg'), Buffer.from([1, 2, 3]))
    const before = filesOf(path)
    assert.deepEqual(await viewed(path, 'a'), ['one'])
    assert.deepEqual(filesOf(path), before)
  })

  it('is whole at every moment of a log that is written and compacted', async () => {
    const path = join(folder, 'busy')
    const log = await openDurableLog({ folder: path, fsync: 'none', segmentBytes: 2_000, controlBytes: 2_000 })
    await log.createTopics([spec('a'), spec('c', 'compact')])
    let writing = true
    let written = 0
    const writer = (async () => {
      // An end of its own: on a slow machine each view would else find more files than the one before, without end.
      while (writing && written < 1_000) {
        await log.append([record('a', String(written++)), record('c', String(written))])
        if (written % 20 === 0) await log.compact('c')
        // A view tries five times; a writer that never rests would replace files under each of them.
        await pause(2)
      }
    })()
    let seen = 0
    try {
      for (let n = 0; n < 20; n++) {
        const values = await viewed(path, 'a')
        assert.deepEqual(
          values,
          Array.from({ length: values.length }, (_, i) => String(i)),
        )
        assert.ok(values.length >= seen)
        seen = values.length
      }
    } finally {
      writing = false
      await writer
      await log.close()
    }
    assert.equal((await viewed(path, 'a')).length, written)
  })

  it('is refused where there is no log, or a damaged one', async () => {
    const none = (code: string) => (error: unknown) => error instanceof LogError && error.code === code
    await assert.rejects(openLogView({ folder: join(folder, 'nowhere') }), none('topic_unknown'))
    const path = join(folder, 'damaged')
    const log = await openDurableLog({ folder: path, fsync: 'none' })
    await log.createTopics([spec('a')])
    await log.append([record('a', 'one')])
    await log.close()
    rmSync(join(path, 'topics'), { recursive: true })
    await assert.rejects(openLogView({ folder: path }), none('corrupt'))
  })
})
