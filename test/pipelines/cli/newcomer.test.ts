// What a new user gets wrong, or meets: each is a sentence that says what to do, and nothing is lost.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { topics } from '../../../schemas/topics.ts'
import { bin, meterveil, root, start } from './command.ts'
import { intervalsIn, readFolder } from './data-folder.ts'
import { writeFleet } from './fleet-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-newcomer-'))
after(() => rmSync(folder, { recursive: true }))
const place = (name: string) => {
  const path = join(folder, name)
  mkdirSync(path)
  return path
}
const smallDisk = join(import.meta.dirname, 'small-disk-main.ts')
const escapeCode = String.fromCharCode(27)

/** Runs until the input is processed, then drains by a signal. */
async function sendAll(input: string, env: Record<string, string>, signal: 'SIGINT' | 'SIGTERM' = 'SIGINT') {
  const running = start(['run', 'readings', '--input', input], env, bin)
  await running.shows('all processed.')
  running.process.kill(signal)
  return await running.ended
}

describe('keys', () => {
  const { env, input, secret, lines, meters, frames, fleet } = writeFleet(place('keys'))

  test('a key file that others may read is refused with the command that mends it', () => {
    chmodSync(join(env.METERVEIL_KEYRING_FOLDER, 'meters.jsonl'), 0o640)
    const { stderr, code } = meterveil(['run'], env)
    assert.equal(stderr, 'Error: meters.jsonl has mode 640: run chmod 600 meters.jsonl\n')
    assert.equal(code, 1)
  })

  test('frames of a meter whose key is wrong end as dead letters, counted and told; those of others are taken', async () => {
    const [wrong, ...others] = meters
    secret('meters.jsonl', lines([{ ...wrong, authentication: 'ab'.repeat(16) }, ...others]))
    const { stdout, stderr, code } = await sendAll(input, env, 'SIGTERM')
    assert.equal(code, 130, stderr)
    const { connection } = fleet.entries.find(({ keyRef }) => keyRef === wrong?.ref)!
    const own = frames.filter((frame) => frame.connection === connection).length
    const told = /^Refused: ([\d,]+) authentication_failed\. meterveil explain REASON/m.exec(stdout)?.[1]
    const dead = await readFolder(env.METERVEIL_DATA_FOLDER, topics.meterRejected)
    assert.equal(dead.length, Number(told), stdout)
    assert.ok(dead.length > 0 && dead.length <= own, `${dead.length} of ${own}`)
    assert.ok(dead.every(({ reason }) => reason === 'authentication_failed'))
    assert.ok((await intervalsIn(env.METERVEIL_DATA_FOLDER)).length > 0)
    assert.doesNotMatch(stdout + stderr, /abab/)
  })
})

describe('a full disk', () => {
  interface Disk {
    readonly folder: string
    readonly env: Record<string, string>
    readonly main: string
    readonly makeRoom: (running: ReturnType<typeof start>) => void
    readonly unmount: () => void
  }
  const injected = (): Disk => ({
    folder: place('injected'),
    env: { SMALL_DISK_BYTES: '200000' },
    main: smallDisk,
    makeRoom: ({ process }) => void process.kill('SIGUSR2'),
    unmount: () => {},
  })
  const mount = (path: string, ...options: readonly string[]) =>
    spawnSync('mount', ['-t', 'tmpfs', ...options, 'tmpfs', path]).status === 0
  const unmount = (path: string) => void spawnSync('umount', [path])
  const mounted = (): Disk => {
    const path = place('mounted')
    assert.ok(mount(path, '-o', 'size=160k'))
    return {
      folder: path,
      env: {},
      main: bin,
      makeRoom: () => assert.ok(mount(path, '-o', 'remount,size=64m')),
      unmount: () => unmount(path),
    }
  }
  const mayMount = (): boolean => {
    const path = place('probe')
    const may = mount(path, '-o', 'size=64k')
    if (may) unmount(path)
    return may
  }
  // A mount needs the rights for it; the injected fault shows the same everywhere.
  for (const [what, make] of [
    ['by a write that fails', injected],
    ...(mayMount() ? [['of 160 KiB', mounted] as const] : []),
  ] as const) {
    test(`${what} pauses with a sentence, and goes on by itself once there is room: nothing is lost`, async (t) => {
      const disk = make()
      t.after(disk.unmount)
      const { env, input } = writeFleet(place(`fleet-${disk.main === bin ? 'mounted' : 'injected'}`))
      const whole = join(folder, `whole-${disk.main === bin}`)
      await sendAll(input, { ...env, METERVEIL_DATA_FOLDER: whole })
      const data = join(disk.folder, 'data')
      const small = { ...env, METERVEIL_DATA_FOLDER: data }
      const running = start(['run', '--input', input], { ...small, ...disk.env }, disk.main)
      await running.shows('free some, then go on')
      disk.makeRoom(running)
      await running.shows('all processed.')
      running.process.kill('SIGINT')
      const { stderr, code } = await running.ended
      assert.match(stderr, /^(The input is not read on|\w+ is paused): no space is left for the log in .*: free some/m)
      assert.equal(code, 130)
      const found = await intervalsIn(data)
      assert.ok(found.length > 0)
      assert.deepEqual(found, await intervalsIn(whole))
    })
  }
})

test('settings that are unknown or wrong, in the file and in the environment, are told all at once', () => {
  const settings = join(folder, 'settings.json')
  writeFileSync(settings, JSON.stringify({ partitons: 4, policy: { rho: 1 }, zone: 7 }))
  const { stderr, code } = meterveil(['run', '--settings', settings], { METERVEIL_KEYRING: 'x', METERVEIL_FSYNC: 'no' })
  for (const word of ['partitons', 'policy.rho', 'zone', 'METERVEIL_KEYRING', 'METERVEIL_FSYNC']) {
    assert.ok(stderr.includes(word), `${word} is missing in: ${stderr}`)
  }
  assert.match(stderr, /^5 settings are wrong:/)
  assert.equal(code, 2)
})

test('a metrics port in use is told before anything starts', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  for (const command of [['demo', '--homes', '2'], ['run']]) {
    const env = command[0] === 'run' ? writeFleet(place(`port-${command[0]}`)).env : {}
    const { stderr, code } = await start([...command, '--metrics-port', String(port)], env, bin).ended
    assert.match(stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use: choose another metrics port, or 0`))
    assert.equal(code, 1)
  }
})

describe('the demo', () => {
  const out = join(folder, 'out')

  test('a CSV of real homes that is cut off is refused by line, with what to do', () => {
    const csv = join(folder, 'homes.csv')
    const rows = Array.from({ length: 400 }, (_, i) => `${new Date(i * 1_800_000).toISOString().slice(0, 16)}Z,100,200`)
    writeFileSync(csv, `interval_start,a,b\n${rows.join('\n').slice(0, -6)}`)
    const { stderr, code } = meterveil(['demo', '--profiles', csv, '--out', out])
    assert.match(stderr, /homes\.csv, line 401: 2 fields where the header has 3: the file is cut off; fetch it again/)
    assert.match(stderr, /\nThe file is a CSV: interval_start, then one column of whole Wh per home/)
    assert.equal(code, 2)
  })

  test('without a terminal nothing is coloured or written over, with NO_COLOR or without', () => {
    for (const env of [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '1' }]) {
      const { stdout, stderr, code } = meterveil(['demo', '--homes', '20', '--out', out], env)
      assert.equal(code, 0, stderr)
      assert.ok(!(stdout + stderr).includes(escapeCode))
      assert.ok(!(stdout + stderr).includes('\r'))
      assert.match(stdout, /Done in /)
    }
  })

  test('SIGTERM drains with exit code 130', async () => {
    const running = start(['demo', '--homes', '3000', '--out', out], {}, bin)
    await running.shows('simulated homes in 2 feeders')
    running.process.kill('SIGTERM')
    const { code, stderr } = await running.ended
    assert.equal(code, 130, stderr)
    assert.match(stderr, /Interrupted: the pipelines were drained, the simulated day was not finished\./)
  })

  test('--json prints nothing but JSON lines', () => {
    for (const args of [
      ['--homes', '20', '--out', out],
      ['--frames', 'test/fixtures/frames/kaifa.json'],
    ]) {
      const { stdout, code } = meterveil(['demo', '--json', ...args])
      assert.equal(code, 0)
      const kinds = stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { kind?: string }).kind)
      assert.ok(kinds.length > 0 && kinds.every((kind) => typeof kind === 'string'), stdout)
    }
  })

  test('captured frames of a file go through', () => {
    const file = 'test/fixtures/frames/kaifa.json'
    const { length } = JSON.parse(readFileSync(join(root, file), 'utf8')) as readonly unknown[]
    const { stdout, code } = meterveil(['demo', '--frames', file])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^${length} captured frames, each as a meter of its own`))
    assert.match(stdout, /^Kaifa /m)
    // Whoever the frame says it is, it is: a capture has no register that could disagree.
    assert.doesNotMatch(stdout, /title_mismatch/)
  })
})
