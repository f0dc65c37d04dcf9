import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { meterveil, start, toyMain } from './command.ts'

test('Ctrl-C drains and ends with exit code 130', async () => {
  const running = start(['run', 'copy'], { TOY: 'busy' })
  await running.shows('Running copy')
  running.process.kill('SIGINT')
  const { code, stdout, stderr } = await running.ended
  assert.equal(code, 130)
  assert.match(stderr, /Draining: the batch at hand is finished first/)
  assert.match(stdout, /Drained and stopped\.( copy: [\d,]+ records)?\n$/)
})

test('SIGTERM drains too, and JSON lines tell what happened', async () => {
  const running = start(['run', 'copy', '--json'], { TOY: 'busy' })
  await running.shows('started')
  running.process.kill('SIGTERM')
  const { code, stdout } = await running.ended
  assert.equal(code, 130)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; records?: { copy: number } })
  assert.deepEqual(
    lines.map(({ kind }) => kind),
    ['started', 'stopped'],
  )
})

test('a second Ctrl-C ends at once where draining does not', async () => {
  const running = start(['run', 'copy'], { TOY: 'stuck' })
  await running.shows('a commit goes unanswered')
  running.process.kill('SIGINT')
  await running.shows('Draining')
  running.process.kill('SIGINT')
  const { code, stderr } = await running.ended
  assert.equal(code, 130)
  assert.match(stderr, /Stopped at once\. Nothing is lost/)
})

test('a broken promise ends with exit code 3, the sentence and what to do', async () => {
  const { code, stderr } = await start(['run', 'copy'], { TOY: 'halt' }).ended
  assert.equal(code, 3)
  assert.equal(stderr, 'Halted: a promise was broken\nMend it, then start again.\n')
})

test('serves metrics and health while it runs', async () => {
  const running = start(['run', 'copy', '--metrics-port', '0', '--json'], { TOY: 'busy' })
  await running.shows('started')
  const url = /"url":"([^"]+)"/.exec(running.output())?.[1] ?? ''
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /meterveil_build_info\{version="/)
  // By itself: counts of bytes and times may hold the digits.
  assert.doesNotMatch(metrics, /(?<![\d.])4711(?![\d.])/)
  assert.equal((await fetch(`${url}/health/live`)).status, 200)
  running.process.kill('SIGINT')
  assert.equal((await running.ended).code, 130)
})

test('a port in use is a sentence, and nothing was started', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  const { code, stdout, stderr } = await start(['run', 'copy', '--metrics-port', String(port)]).ended
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.equal(
    stderr,
    `Error: Port ${port} on 127.0.0.1 is in use: choose another metrics port, or 0 for a free one.\n`,
  )
})

test('an unknown pipeline is refused by name', () => {
  const { code, stderr } = meterveil(['run', 'copie'], {}, toyMain)
  assert.equal(code, 2)
  assert.match(stderr, /There is no pipeline copie\.\nDid you mean copy\? There are copy, idle\./)
})

test('a stack is shown only when asked for', () => {
  const args = ['run', 'copie']
  assert.doesNotMatch(meterveil(args, {}, toyMain).stderr, /^ +at /m)
  assert.match(meterveil(args, { METERVEIL_DEBUG: '1' }, toyMain).stderr, /^ +at /m)
})

describe('what a newcomer gets wrong with keys and register', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-cli-'))
  after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string, mode = 0o600) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  const entry = {
    point: 'secret-point-4711',
    connection: 'secret-connection-4711',
    systemTitle: '4D56540000000001',
    validFrom: 0,
    validTo: null,
    direction: 'import',
    partition: 0,
    index: 0,
    groups: { utility: 'u', region: 'r', substation: 's', feeder: 'f' },
    customerClass: 'residential',
    area: 'a',
    tariff: 't',
    heating: 'h',
    dwelling: 'd',
    timeZone: 'Europe/Berlin',
    zone: 'main',
    profile: 'interval-30min',
    protection: 'authenticated-encrypted',
    keyRef: 'k',
    fuseWhPerHour: 13_800,
    pointsAtConnection: 1,
  }
  const goodRegister = write('register.jsonl', `${JSON.stringify(entry)}\n`)
  const master = 'ab'.repeat(32)
  const meters = `{"ref":"k","encryption":"${'cd'.repeat(16)}","authentication":"${'ef'.repeat(16)}"}\n`

  const cases: readonly {
    readonly says: string
    readonly prepare: () => Record<string, string>
    readonly code: number
    readonly stderr: RegExp
  }[] = [
    {
      says: 'a key file that others may read',
      prepare: () => {
        write('master.key', master, 0o644)
        write('meters.jsonl', meters)
        return {}
      },
      code: 1,
      stderr: /^Error: master\.key has mode 644: run chmod 600 master\.key\n$/,
    },
    {
      says: 'a key that is no key',
      prepare: () => {
        write('master.key', 'abc')
        return {}
      },
      code: 1,
      stderr: /^Error: master\.key holds no key: give it 32 bytes, or 64 hex digits/,
    },
    {
      says: 'a key folder that is not there',
      prepare: () => ({ METERVEIL_KEYRING_FOLDER: join(folder, 'nowhere') }),
      code: 1,
      stderr:
        /^Error: the key folder \S+ does not exist: make it with master\.key and meters\.jsonl in it, or name another one in keyringFolder/,
    },
    {
      says: 'a register that is not there',
      prepare: () => ({ METERVEIL_REGISTER_FILE: join(folder, 'nowhere.jsonl') }),
      code: 2,
      stderr: /^Error: The register file \S+nowhere\.jsonl does not exist\.\nCheck the path\.\n$/,
    },
    {
      says: 'a truncated register',
      prepare: () => ({
        METERVEIL_REGISTER_FILE: write(
          'short.jsonl',
          `${JSON.stringify(entry)}\n${JSON.stringify(entry).slice(0, 90)}`,
        ),
      }),
      code: 2,
      stderr: /^Error: Line 2 of the register is not JSON\.\n/,
    },
    {
      says: 'a register with a field too many',
      prepare: () => ({
        METERVEIL_REGISTER_FILE: write('extra.jsonl', JSON.stringify({ ...entry, name: 'secret-name-4711' })),
      }),
      code: 2,
      stderr: /^Error: Line 1 of the register has a field name, which no entry has\.\n/,
    },
    {
      says: 'a register with a field too few',
      prepare: () => ({ METERVEIL_REGISTER_FILE: write('few.jsonl', JSON.stringify({ point: 'secret-point-4711' })) }),
      code: 2,
      stderr: /^Error: Line 1 of the register has no connection: it must be a text\.\n/,
    },
    {
      says: 'an empty register',
      prepare: () => ({ METERVEIL_REGISTER_FILE: write('empty.jsonl', '\n') }),
      code: 2,
      stderr: /^Error: The register file holds no entry\.\n/,
    },
    {
      says: 'a zone without meters',
      prepare: () => {
        write('master.key', master)
        return { METERVEIL_ZONE: 'elsewhere' }
      },
      code: 2,
      stderr: /^Error: The register has no meter in zone elsewhere\.\nSet METERVEIL_ZONE to one of: main\.\n$/,
    },
  ]
  for (const { says, prepare, code, stderr } of cases) {
    test(`${says} is a sentence that names no meter`, () => {
      const env = prepare()
      const finished = meterveil(['run'], {
        METERVEIL_KEYRING_FOLDER: folder,
        METERVEIL_REGISTER_FILE: goodRegister,
        ...env,
      })
      assert.match(finished.stderr, stderr)
      assert.equal(finished.code, code)
      assert.doesNotMatch(finished.stderr + finished.stdout, /4711|abab|cdcd|efef/)
    })
  }

  test('with both right it runs, on a folder that is there again afterwards', async () => {
    write('master.key', master)
    write('meters.jsonl', meters)
    const env = {
      METERVEIL_KEYRING_FOLDER: folder,
      METERVEIL_REGISTER_FILE: goodRegister,
      METERVEIL_DATA_FOLDER: join(folder, 'data'),
      METERVEIL_PARTITIONS: '2',
    }
    for (const _ of ['first', 'again']) {
      const running = start(['run'], env, join(import.meta.dirname, '../../../pipelines/cli/bin.js'))
      await running.shows('Running readings')
      running.process.kill('SIGTERM')
      const { code, stderr } = await running.ended
      assert.equal(code, 130, stderr)
    }
    const ids = join(folder, 'data/schema-registry.json')
    const damaged: readonly (readonly [RegExp, () => void])[] = [
      [/is damaged: restore it from a copy\n$/, () => writeFileSync(ids, readFileSync(ids).fill(48, 20, 30))],
      [/^Error: .* holds records but no schema-registry\.json,.*\nRestore the folder from a copy/, () => rmSync(ids)],
    ]
    for (const [says, damage] of damaged) {
      damage()
      const { code, stderr } = meterveil(['run'], env)
      assert.match(stderr, says)
      assert.equal(code, 1)
    }
  })
})

test('an unknown pipeline is told before anything else is asked for', () => {
  const { code, stderr } = meterveil(['run', 'readngs'])
  assert.equal(code, 2)
  assert.equal(
    stderr,
    'Error: There is no pipeline readngs.\nDid you mean readings? There are readings, load, publish, forecast.\n',
  )
})
