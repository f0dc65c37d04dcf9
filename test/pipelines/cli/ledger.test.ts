// The command itself, over a folder that another process holds, as an auditor runs it.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openDurableLog, openDurableRegistry } from '../../../connectors/memory/index.ts'
import { perSeal, releaseOver } from '../../helpers/ledger-stage.ts'
import { type Finished, meterveil } from './command.ts'

const root = mkdtempSync(join(tmpdir(), 'meterveil-ledger-'))
after(() => rmSync(root, { recursive: true }))
const folder = join(root, 'data')
const log = await openDurableLog({ folder, fsync: 'none' })
after(() => log.close())
const seals = await releaseOver(log, await openDurableRegistry({ file: join(folder, 'schema-registry.json') }))
const links = seals + 4

const ledger = (...args: readonly string[]): Finished =>
  meterveil(['ledger', ...args], { METERVEIL_DATA_FOLDER: folder })
const recordsOf = ({ stdout }: Finished): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const head = (): string => /^Head: demo \d+ ([0-9a-f]{64})$/m.exec(ledger('verify').stdout)?.[1] ?? ''

describe('ledger verify', () => {
  it('checks every link and copy, and takes no lock', () => {
    const { code, stdout, stderr } = ledger('verify')
    assert.equal(code, 0, stderr)
    assert.match(
      stdout,
      new RegExp(`^Ledger: ${links} links, 2 days charged, ${seals} seals with ${seals * perSeal} records\\.$`, 'm'),
    )
    assert.match(stdout, new RegExp(`^Public: ${seals * perSeal} copies compared, byte for byte\\.$`, 'm'))
    assert.match(stdout, /^The ledger holds\.$/m)
    assert.equal(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')).pid, process.pid)
  })

  it('may begin at a checkpoint', () => {
    const { code, stdout } = ledger('verify', '--since', '2026-01-15')
    assert.equal(code, 0, stdout)
    assert.equal(ledger('verify', '--since', '2026-02-01').code, 1)
  })

  it('writes the head that is to be pinned, and compares with it', () => {
    const pin = join(root, 'head.pin')
    const first = ledger('verify', '--pin', pin)
    assert.match(first.stdout, new RegExp(`^Pinned: link ${links}\\.$`, 'm'))
    assert.deepEqual(JSON.parse(readFileSync(pin, 'utf8')), { domain: 'demo', seq: links, hash: head() })
    assert.equal(ledger('verify', '--pin', pin).code, 0)
  })

  for (const [what, change, fault] of [
    ['a pin ahead of the ledger', { seq: links + 1 }, 'behind_pin'],
    ['another link than the pinned one', { hash: 'ab'.repeat(32) }, 'differs_from_pin'],
  ] as const) {
    it(`finds ${what}, and leaves the pin as it is`, () => {
      const pin = join(root, `${fault}.pin`)
      const text = JSON.stringify({ domain: 'demo', seq: links, hash: head(), ...change })
      writeFileSync(pin, text)
      const finished = ledger('verify', '--json', '--pin', pin)
      assert.equal(finished.code, 1)
      assert.deepEqual(
        recordsOf(finished).flatMap((record) => (record['kind'] === 'fault' ? [record['fault']] : [])),
        [fault],
      )
      assert.match(finished.stderr, /The ledger does not hold: 1 fault\./)
      assert.equal(readFileSync(pin, 'utf8'), text)
    })
  }

  it('refuses a pin that others may write, or that is none, in a sentence', () => {
    const pin = join(root, 'text.pin')
    writeFileSync(pin, 'head')
    const { code, stderr } = ledger('verify', '--pin', pin)
    assert.equal(code, 1)
    assert.equal(stderr.split('\n')[0], 'Error: text.pin cannot be used as a pinned head: it is not JSON.')
  })

  it('finds what was added to a copy of the folder', async () => {
    const copy = join(root, 'forged')
    cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('lock') })
    const forged = await openDurableLog({ folder: copy, fsync: 'none' })
    for (const topic of ['release.ledger', 'load.public']) {
      const { first, end } = await forged.bounds(topic, 0, 'read_committed')
      const reader = await forged.read(topic, 0, first, 'read_committed')
      const { records } = await reader.poll({ maxRecords: Number(end), maxBytes: 1e9, waitMs: 0 })
      const { key, value, headers, timestamp } = records.at(-1)!
      await forged.append([{ topic, partition: 0, key, value, headers, timestamp }])
    }
    await forged.close()
    const finished = ledger('verify', '--data-folder', copy)
    assert.equal(finished.code, 1)
    for (const says of [/^! link \d+: two links have one number/m, /sealed twice/, /published twice/]) {
      assert.match(finished.stdout, says)
    }
  })
})

describe('ledger accept-loss', () => {
  const accept = (name: string, change: object) => {
    const pin = join(root, name)
    writeFileSync(pin, JSON.stringify({ domain: 'demo', seq: links, hash: head(), ...change }))
    return { pin, ...ledger('accept-loss', '--pin', pin) }
  }

  it('refuses where nothing is lost', () => {
    const { code, stderr } = accept('kept.pin', {})
    assert.equal(code, 1)
    assert.match(stderr, /nothing is lost/)
  })

  it('pins what is left, and declares every day up to today unproven', () => {
    const { code, stdout, stderr, pin } = accept('lost.pin', { seq: links + 9 })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^Pinned: link \d+ instead of \d+\. Every window up to \d{4}-\d\d-\d\d stays withheld/)
    const { seq, unproven } = JSON.parse(readFileSync(pin, 'utf8'))
    assert.equal(seq, links)
    assert.ok(unproven >= new Date().toISOString().slice(0, 10))
    assert.equal(ledger('verify', '--pin', pin).code, 0)
    assert.equal(JSON.parse(readFileSync(pin, 'utf8')).unproven, unproven, 'verify leaves it in the pin')
  })
})

describe('ledger show', () => {
  it('lists charges, seals, three statements and what is withheld', () => {
    const { code, stdout, stderr } = ledger('show')
    assert.equal(code, 0, stderr)
    for (const row of [
      /^2026-01-15 +utility +interval_sums +2435597\/400000000 +96 +96$/m,
      /^2026-01-16 +utility +interval_sums +2435597\/400000000 +26 +0$/m,
      /^2026-01-16 +1\.0000 +1\.4\d\d\d +1\.4\d\d\d +2$/m,
      /^2026-01-16 +withheld_small_group +1 +4$/m,
      /^withheld_not_useful: The noise would be more than a fifth/m,
    ]) {
      assert.match(stdout, row)
    }
  })

  it('shows one day with the names of withheld groups, or why it is not charged', () => {
    const { stdout } = ledger('show', '--date', '2026-01-15')
    assert.match(stdout, /^withheld_small_group: feeder\/feeder-2$/m)
    assert.match(stdout, /^Digest of the plan, as meterveil rules check prints it: [0-9a-f]{64}$/m)
    assert.doesNotMatch(stdout, /2026-01-16/)
    assert.match(ledger('show', '--date', '2026-01-14').stdout, /is not charged: .* \(day_before_first\)/)
    assert.match(ledger('show', '--date', '2026-01-17').stdout, /is not charged: .* \(day_not_reached\)/)
  })

  it('says the same in JSON', () => {
    const records = recordsOf(ledger('show', '--json', '--last', '1'))
    assert.deepEqual(
      records.map(({ kind }) => kind),
      ['ledger', 'day', 'statements', 'withheld', 'withheld'],
    )
    assert.equal(records[1]?.['date'], '2026-01-16')
  })
})

describe('ledger forecast and explain', () => {
  it('tell what is left and what the year comes to', () => {
    const { code, stdout } = ledger('forecast')
    assert.equal(code, 0)
    assert.match(stdout, /^left \(0\.0 %\) +0$/m)
    assert.match(stdout, /^the year, to its end +351 +29\.\d+$/m)
    assert.match(stdout, /^any 366 days at this rate +366 +29\.\d+$/m)
    assert.match(stdout, /^any 366 days at the cap +366 +29\.\d+$/m)
  })

  it('explain a reason, and every reason', () => {
    assert.match(meterveil(['ledger', 'explain', 'pin-behind']).stdout, /^pin_behind\n.*rolled back/)
    assert.match(meterveil(['ledger', 'explain']).stdout, /withheld_small_group/)
    const { code, stderr } = meterveil(['ledger', 'explain', 'withheld_smal_group'])
    assert.deepEqual([code, /Did you mean withheld_small_group/.test(stderr)], [2, true])
  })
})

describe('what cannot be read', () => {
  for (const [what, args, env, code, message] of [
    ['no place', ['show'], {}, 2, /kafka\.brokers .* or dataFolder .* is missing/],
    ['a folder that is not there', ['show', '--data-folder', join(root, 'none')], {}, 2, /holds no log/],
    ['a day that is none', ['show', '--date', '2026-02-30'], {}, 2, /day of the calendar/],
    [
      'Kafka without a registry',
      ['verify'],
      { METERVEIL_KAFKA_BROKERS: 'localhost:1', METERVEIL_MODE: 'development' },
      2,
      /registry\.url/,
    ],
  ] as const) {
    it(`${what} ends in one sentence`, () => {
      const finished = meterveil(['ledger', ...args], env)
      assert.match(finished.stderr, message)
      assert.equal(finished.code, code)
    })
  }

  it('leaves nothing behind where there was nothing', () => assert.ok(!existsSync(join(root, 'none'))))
})
