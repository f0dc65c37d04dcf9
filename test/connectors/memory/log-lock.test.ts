import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openDurableLog } from '../../../connectors/memory/index.ts'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-lock-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
const open = (folder: string) => openDurableLog({ folder, fsync: 'commit' })

/** A process that holds the log in `folder` and has appended one record to it. */
async function holder(folder: string) {
  const module = import.meta.resolve('../../../connectors/memory/index.ts')
  const script = `
    const { openDurableLog } = await import(${JSON.stringify(module)})
    const log = await openDurableLog({ folder: ${JSON.stringify(folder)}, fsync: 'commit' })
    const spec = { name: 'a', partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }
    await log.createTopics([spec])
    await log.append([{ topic: 'a', partition: 0, key: null, value: Buffer.from('kept') }])
    process.stdout.write('holding')
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

test('a second process is refused while the first one lives, and takes over once it was killed', async () => {
  const folder = newFolder()
  const child = await holder(folder)
  await assert.rejects(open(folder), { code: 'folder_in_use', message: new RegExp(`process ${child.pid}`) })
  assert.ok(existsSync(join(folder, 'lock')))
  child.kill('SIGKILL')
  await once(child, 'exit')
  const log = await open(folder)
  assert.deepEqual(await log.bounds('a', 0, 'read_committed'), { first: 0n, end: 1n })
  await log.close()
  assert.ok(!existsSync(join(folder, 'lock')))
})

test('the same process is refused too, until it closes', async () => {
  const folder = newFolder()
  const log = await open(folder)
  await assert.rejects(open(folder), { code: 'folder_in_use', message: /this process/ })
  await log.close()
  await (await open(folder)).close()
})

for (const [what, lock] of [
  ['an empty file', ''],
  ['noise', '\u0000\u0001'],
  ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: '1' })],
  ['an earlier process with our id', JSON.stringify({ pid: process.pid, host: hostname(), started: '1' })],
  ['an earlier process with the id of another', JSON.stringify({ pid: 1, host: hostname(), started: 'long ago' })],
] as const) {
  test(`a lock left by ${what} is recovered`, async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'lock'), lock)
    const log = await open(folder)
    assert.match(readFileSync(join(folder, 'lock'), 'utf8'), new RegExp(`"pid":${process.pid}`))
    await log.close()
  })
}

test('a lock of another host is respected', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 1, host: 'elsewhere', started: '' }))
  await assert.rejects(open(folder), { code: 'folder_in_use', message: /elsewhere.*remove/ })
})

test('a folder that cannot be opened is not left locked', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'control-1'), 'no frame')
  await assert.rejects(open(folder), { code: 'corrupt' })
  assert.ok(!existsSync(join(folder, 'lock')))
})

test('the files are readable by their owner only', async () => {
  const folder = newFolder()
  const log = await open(folder)
  await log.createTopics([{ name: 'a', partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }])
  await log.append([{ topic: 'a', partition: 0, key: null, value: Buffer.from('x') }])
  for (const path of ['control-1', 'topics/a/0/0000000001.seg']) {
    assert.equal(statSync(join(folder, path)).mode & 0o077, 0, path)
  }
  assert.equal(statSync(join(folder, 'topics/a')).mode & 0o077, 0)
  await log.close()
})

const gone = JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: '1' })

test('of many openings at once exactly one succeeds, each time', async (t) => {
  const module = import.meta.resolve('../../../connectors/memory/log-lock.ts')
  const script = `
    const { lockFolder } = await import(${JSON.stringify(module)})
    process.stdout.write('ready')
    for await (const folder of process.stdin.setEncoding('utf8')) {
      const won = await lockFolder(folder).then(() => 'won', (error) => error.code)
      process.stdout.write(won)
    }`
  const children = Array.from({ length: 5 }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  t.after(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  const answers = () => Promise.all(children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])))
  await answers()
  for (let round = 0; round < 100; round++) {
    const folder = newFolder()
    writeFileSync(join(folder, 'lock'), gone)
    const answered = answers()
    for (const { stdin } of children) stdin.write(folder)
    const lost = Array.from({ length: children.length - 1 }, () => 'folder_in_use')
    assert.deepEqual((await answered).sort(), [...lost, 'won'], `round ${round}`)
    assert.deepEqual(readdirSync(folder), ['lock'])
  }
})

test('a process that was killed while it took a stale lock away is followed by the next', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'lock'), gone)
  const name = createHash('sha256').update(gone).digest('hex').slice(0, 16)
  for (const n of [0, 1]) writeFileSync(join(folder, `lock.claim.${name}.${n}`), gone)
  const log = await open(folder)
  assert.deepEqual(
    readdirSync(folder).filter((file) => file.startsWith('lock')),
    ['lock'],
  )
  await log.close()
})
