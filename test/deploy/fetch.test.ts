import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ServicesError } from '../../deploy/local/errors.ts'
import { fetched, fetchWith } from '../../deploy/local/fetch.ts'
import { withLock } from '../../deploy/local/lock.ts'
import { run } from '../../deploy/local/program.ts'

const cache = mkdtempSync(join(tmpdir(), 'meterveil-fetch-'))
after(() => rmSync(cache, { recursive: true }))

describe('a fetched piece', () => {
  const said: string[] = []
  const context = { cache, report: (_: string, says: string) => void said.push(says) }
  const write = async (into: string) => writeFileSync(join(into, 'file'), 'whole')

  test('is fetched once, also by many at a time', async () => {
    let fetches = 0
    const folders = await Promise.all(
      [1, 2, 3].map(() =>
        fetched(context, 'piece', 'Piece', async (into) => {
          fetches++
          await write(into)
        }),
      ),
    )
    assert.deepEqual([new Set(folders).size, fetches], [1, 1])
    assert.equal(readFileSync(join(folders[0] as string, 'file'), 'utf8'), 'whole')
    assert.deepEqual([said[0], said.length], ['fetching', 2])
  })

  test('that was left half is fetched again', async () => {
    mkdirSync(join(cache, 'half'))
    writeFileSync(join(cache, 'half/file'), 'ha')
    const folder = await fetched(context, 'half', 'Half', write)
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'whole')
  })

  test('that cannot be fetched is not there afterwards', async () => {
    const failing = fetched(context, 'broken', 'Broken', async (into) => {
      await write(into)
      throw new Error('cut off')
    })
    await assert.rejects(failing, /cut off/)
    assert.equal(existsSync(join(cache, 'broken')), false)
    assert.equal(existsSync(join(cache, 'broken.lock')), false)
    await fetched(context, 'broken', 'Broken', write)
  })
})

test('a package manager is called again when it fails, and its last words are told', async () => {
  const count = join(cache, 'count')
  await fetchWith('/bin/sh', ['-c', `echo x >> ${count}; [ $(wc -l < ${count}) -ge 3 ]`], 'It', cache)
  await assert.rejects(
    fetchWith('/bin/sh', ['-c', 'echo no route to anywhere >&2; exit 1'], 'It', cache),
    (error) =>
      error instanceof ServicesError && error.code === 'fetch_failed' && /no route to anywhere/.test(error.message),
  )
})

describe('a lock', () => {
  test('lets one process at a time in', async () => {
    const counter = join(cache, 'counter')
    writeFileSync(counter, '0')
    const script = `
      import { readFileSync, writeFileSync } from 'node:fs'
      import { setTimeout as sleep } from 'node:timers/promises'
      const { withLock } = await import(${JSON.stringify(new URL('../../deploy/local/lock.ts', import.meta.url).href)})
      for (let at = 0; at < 5; at++) {
        await withLock(${JSON.stringify(join(cache, 'shared.lock'))}, 60_000, async () => {
          const before = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'))
          await sleep(5)
          writeFileSync(${JSON.stringify(counter)}, String(before + 1))
        })
      }`
    const ends = await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', script], { timeoutMs: 60_000 })),
    )
    assert.deepEqual(
      ends.map(({ code, stderr }) => [code, stderr]),
      ends.map(() => [0, '']),
    )
    assert.equal(readFileSync(counter, 'utf8'), '15')
  })

  test('of a dead process is taken over', async () => {
    const path = join(cache, 'dead.lock')
    writeFileSync(path, JSON.stringify({ pid: process.pid, began: '1' }))
    assert.equal(await withLock(path, 1_000, async () => 'done'), 'done')
  })

  test('of a live process is waited for, and then named', async () => {
    const path = join(cache, 'live.lock')
    await withLock(path, 1_000, async () => {
      await assert.rejects(
        withLock(path, 150, async () => 'never'),
        (error) => error instanceof ServicesError && error.code === 'busy' && error.message.includes(path),
      )
    })
    assert.deepEqual(
      readdirSync(cache).filter((name) => name.startsWith('live')),
      [],
    )
  })
})
