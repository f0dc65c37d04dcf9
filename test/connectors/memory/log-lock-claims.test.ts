import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

type LogLock = typeof import('../../../connectors/memory/log-lock.ts')

const pods = new AsyncLocalStorage<string>()
const machine = os.hostname()
os.hostname = () => pods.getStore() ?? machine
/** What a test lets happen after a file was opened, and before it is linked. */
const order = { opened: async () => {}, linking: async () => {} }
const { open, link } = files
files.open = async (...call) => {
  const file = await open(...call)
  await order.opened()
  return file
}
files.link = async (...call) => {
  await order.linking()
  return link(...call)
}
syncBuiltinESMExports()

/** The module once more, so that what it remembers of its own locks is that of another process with our id. */
const load = (copy: string): Promise<LogLock> =>
  import(`${import.meta.resolve('../../../connectors/memory/log-lock.ts')}?${copy}`)
const { lockFolder } = await load('first')

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(os.tmpdir(), 'meterveil-claim-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const gone = JSON.stringify({ pid: 2 ** 22 + 1, host: machine, started: '1' })
const elsewhere = JSON.stringify({ pid: 1, host: 'elsewhere', started: '1' })

/** A folder whose lock is stale, with claims to it as processes left them. */
function claimed(...claims: readonly string[]) {
  const folder = newFolder()
  const base = join(folder, `lock.claim.${createHash('sha256').update(gone).digest('hex').slice(0, 16)}`)
  writeFileSync(join(folder, 'lock'), gone)
  for (const [n, claim] of claims.entries()) writeFileSync(`${base}.${n}`, claim)
  return { folder, claim: (n: number) => `${base}.${n}` }
}

for (const [what, claims] of [
  ['an empty claim', ['']],
  ['a claim of noise', ['\u0000\u0001']],
  ['half a claim', [gone.slice(0, 20)]],
  ['an unreadable claim behind one of a process that is gone', [gone, '']],
  ['a claim of an earlier process with our id', [JSON.stringify({ pid: process.pid, host: machine, started: '1' })]],
] as const) {
  test(`${what} does not keep a folder from being opened`, async () => {
    const { folder } = claimed(...claims)
    const lock = await lockFolder(folder)
    assert.deepEqual(readdirSync(folder), ['lock'])
    await lock.release()
  })
}

test('a claim of another host is waited for, then named with what to do', async () => {
  const { folder, claim } = claimed(elsewhere)
  await assert.rejects(lockFolder(folder, 20), ({ code, message }) => {
    assert.equal(code, 'folder_in_use')
    assert.ok(message.includes(`remove ${claim(0)}`), message)
    assert.match(message, /process 1 on elsewhere/)
    return true
  })
  assert.equal(readFileSync(join(folder, 'lock'), 'utf8'), gone)
  rmSync(claim(0))
  await (await lockFolder(folder, 20)).release()
})

test('a claim of a process that lives is waited for, then that process is to be stopped', async (t) => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1_000)'], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  const { folder, claim } = claimed(JSON.stringify({ pid: child.pid, host: machine, started: '' }))
  await assert.rejects(lockFolder(folder, 20), ({ code, message }) => {
    assert.equal(code, 'folder_in_use')
    assert.ok(message.includes(claim(0)), message)
    assert.match(message, new RegExp(`process ${child.pid} on .*stop that process`))
    assert.doesNotMatch(message, /remove/)
    return true
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await lockFolder(folder, 20)).release()
})

test('a claim that is given back while it is waited for lets the opening go on', async () => {
  const { folder, claim } = claimed(elsewhere)
  const opening = lockFolder(folder, 60_000)
  rmSync(claim(0))
  await (await opening).release()
})

test('who holds the folder clears away what killed processes left beside the lock', async () => {
  const folder = newFolder()
  const left = ['lock.claim.0123456789abcdef.0', 'lock.claim.0123456789abcdef.1', 'lock.draft.of-old', 'lock.1']
  for (const name of left) writeFileSync(join(folder, name), elsewhere)
  for (const name of ['control-1', 'lock.notes', 'locked']) writeFileSync(join(folder, name), 'kept')
  const lock = await lockFolder(folder)
  assert.deepEqual(readdirSync(folder).sort(), ['control-1', 'lock', 'lock.notes', 'locked'])
  await lock.release()
})

test('of hosts whose processes have the same id exactly one opens a folder, each time', async () => {
  const copies = await Promise.all(
    Array.from({ length: 4 }, async (_, n) => ({ host: `pod-${n}`, copy: await load(`pod-${n}`) })),
  )
  for (let round = 0; round < 100; round++) {
    const folder = newFolder()
    if (round % 2 === 0) writeFileSync(join(folder, 'lock'), '')
    const answers = await Promise.all(
      copies.map(({ host, copy }) =>
        pods.run(host, () =>
          copy.lockFolder(folder).then(
            () => 'won',
            ({ code, message }) => (code === 'folder_in_use' ? code : `${code} ${message}`),
          ),
        ),
      ),
    )
    assert.deepEqual(answers.sort(), ['folder_in_use', 'folder_in_use', 'folder_in_use', 'won'], `round ${round}`)
    assert.deepEqual(readdirSync(folder), ['lock'])
  }
})

test('hosts whose processes have the same id write no lock through the draft of the other', async (t) => {
  const [a, b] = await Promise.all([load('draft-a'), load('draft-b')])
  const folder = newFolder()
  const [opened, linked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  t.after(() => Object.assign(order, { opened: async () => {}, linking: async () => {} }))
  order.linking = async () => (pods.getStore() === 'pod-a' ? opened.promise : undefined)
  const first = pods.run('pod-a', () => a.lockFolder(folder)).finally(linked.resolve)
  order.opened = async () => {
    if (pods.getStore() !== 'pod-b') return
    opened.resolve()
    await linked.promise
  }
  const second = pods.run('pod-b', () => b.lockFolder(folder))
  await assert.rejects(second, { code: 'folder_in_use', message: /on pod-a/ })
  assert.match(readFileSync(join(folder, 'lock'), 'utf8'), /"host":"pod-a"/)
  await (await first).release()
})

test('a lock with our process id and our start is held, also where this thread did not take it', async () => {
  const folder = newFolder()
  const lock = await lockFolder(folder)
  const other = await load('thread')
  await assert.rejects(other.lockFolder(folder), { code: 'folder_in_use', message: /this process/ })
  await lock.release()
  await (await other.lockFolder(folder)).release()
})

test('a release leaves the lock that another process has taken since', async () => {
  const folder = newFolder()
  const lock = await lockFolder(folder)
  writeFileSync(join(folder, 'lock'), elsewhere)
  await lock.release()
  assert.equal(readFileSync(join(folder, 'lock'), 'utf8'), elsewhere)
})
