import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { minutes } from '../../../operators/contract/clock.ts'
import { HaltError, HistoryBehindError } from '../../../operators/contract/halt.ts'
import { headOf } from '../../../operators/privacy/ledger/chain.ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import { formatPin, type HeadPin } from '../../../operators/privacy/ledger/pin.ts'
import type { HaltReason } from '../../../operators/privacy/ledger/reasons.ts'
import { filePin, movePin, readPin, writePin } from '../../../pipelines/cli/ledger-pin.ts'
import { load } from '../../../pipelines/load.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { releasedLog } from '../../helpers/ledger-fixture.ts'
import { berlin, domain, partial, releaseOptions } from '../../helpers/release-fixtures.ts'
import { readTopic } from './data-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-pin-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
const newFile = () => join(folder, `head-${files++}.pin`)

const pinOf = (seq: number, fill = 1): HeadPin => ({ domain: domain.name, seq, hash: new Uint8Array(32).fill(fill) })
const halts = (message: RegExp, reason: HaltReason) => (error: unknown) =>
  error instanceof HaltError && message.test(error.message) && error.reason === reason

describe('the file of a pinned head', () => {
  it('is written whole, moves on, never back, and leaves no draft', async () => {
    const file = newFile()
    assert.equal(readPin(file), undefined)
    for (const seq of [3, 7, 5]) await movePin(file, pinOf(seq))
    assert.deepEqual(readPin(file), pinOf(7))
    assert.ok(readdirSync(folder).every((name) => !name.includes('draft')))
  })

  it('keeps what it holds when it cannot be written, and says so', async () => {
    const file = join(folder, 'gone', 'head.pin')
    await assert.rejects(movePin(file, pinOf(1)), halts(/could not be pinned in head.pin \(ENOENT\)/, 'pin_unwritable'))
    mkdirSync(join(folder, 'gone'))
    await movePin(file, pinOf(1))
    assert.deepEqual(readPin(file), pinOf(1))
  })

  it('is of one domain', async () => {
    const file = newFile()
    await movePin(file, pinOf(1))
    await assert.rejects(movePin(file, { ...pinOf(2), domain: 'other' }), halts(/another domain/, 'pin_foreign'))
  })

  it('proves nothing where others may write it, or where it is damaged', () => {
    const file = newFile()
    writeFileSync(file, formatPin(pinOf(1)))
    chmodSync(file, 0o666)
    assert.throws(() => readPin(file), halts(/others may write it; run chmod go-w/, 'pin_unusable'))
    chmodSync(file, 0o600)
    writeFileSync(file, formatPin(pinOf(1)).slice(0, 40))
    assert.throws(() => readPin(file), halts(/it is not JSON/, 'pin_unusable'))
  })
})

describe('the pin of a running pipeline', () => {
  const { ledger } = releasedLog(3)

  it('begins with an empty ledger and follows it', async () => {
    const file = newFile()
    const pin = filePin(file, domain.name)
    await pin.check([])
    assert.equal(readPin(file)?.seq, 0)
    await pin.committed(ledger[0])
    assert.equal(readFileSync(file, 'utf8'), formatPin({ domain: domain.name, ...headOf(ledger[0]!) }))
  })

  it('catches up at an assignment with what was committed before a crash', async () => {
    const file = newFile()
    const pin = filePin(file, domain.name)
    await pin.check([])
    await pin.check(ledger)
    assert.equal(readPin(file)?.seq, ledger.length)
    assert.ok(pin.reaches(ledger[3]!))
  })

  it('halts where the ledger ends before it, differs, was cut behind it, or where the file is gone', async () => {
    const file = newFile()
    const pin = filePin(file, domain.name)
    await assert.rejects(pin.check(ledger), halts(/is not there/, 'pin_missing'))
    await movePin(file, { domain: domain.name, ...headOf(ledger[4]!) })
    await assert.rejects(pin.check(ledger.slice(0, 3)), HistoryBehindError)
    await assert.rejects(pin.check(ledger.slice(6)), halts(/begins at link 7, but link 5 was pinned/, 'pin_gap'))
    const other = newFile()
    await movePin(other, pinOf(2))
    await assert.rejects(filePin(other, domain.name).check(ledger), halts(/another link 2/, 'pin_differs'))
    await assert.rejects(filePin(file, 'north').check(ledger), halts(/another domain/, 'pin_foreign'))
    assert.equal(readPin(file)?.seq, 5, 'a refusal leaves the file as it was')
  })

  it('stops [load] over a log restored from a backup with its state, until the loss is accepted and withheld', async () => {
    const file = newFile()
    const start = berlin('2026-01-15T00:00')
    const pipelines = (path: string) => [load({ ...releaseOptions(), pin: filePin(path, domain.name) })]
    const driver = await testDriver(pipelines(file), { start, topics: topicSpecs(1) })
    const feed = async (n: number) => {
      await driver.advance(minutes(30))
      const progress = driver.clock.now()
      await driver.pipe(topics.loadPartials, [partial(0, n, progress), partial(1, n, progress)])
    }
    for (const n of [1, 2, 3]) await feed(n)
    const [backup, older] = [driver.log.backup(), driver.log.backup()]
    const [before, held] = [readPin(file)?.seq ?? 0, readFileSync(file, 'utf8')]
    for (const n of [4, 5]) await feed(n)
    await driver.stop()
    assert.ok((readPin(file)?.seq ?? 0) > before, 'the pin moved on')
    const end = (await driver.read(topics.releaseLedger)).at(-1)
    assert.equal(readFileSync(file, 'utf8'), formatPin({ domain: domain.name, ...headOf(end!) }))

    const task = { settleMs: 100 }
    const restored = await testDriver(pipelines(file), { start, task, topics: topicSpecs(1), log: () => backup })
    await assert.rejects(restored.settle(), halts(/ends at link \d+, but link \d+ was pinned/, 'pin_behind'))

    // Given up: what is left is pinned, the day declared unproven, and the same input sealed again without a value.
    const given = newFile()
    const left = (await readTopic(backup, restored.ports.registry, topics.releaseLedger)).at(-1)!
    await writePin(given, { domain: domain.name, ...headOf(left), unproven: '2026-01-15' })
    const goesOn = await testDriver(pipelines(given), { start, task, topics: topicSpecs(1), log: () => backup })
    const { registry } = goesOn.ports
    const wire = await openWire(registry, [topics.loadPartials as AnyTopic])
    const headers = { 'privacy-label': topics.loadPartials.label }
    const later = [0, 1].map((source) => partial(source, 4, start + minutes(180)))
    const values = later.map((value) => wire.encode(topics.loadPartials as AnyTopic, value))
    await backup.append(values.map((value) => ({ topic: 'load.partials', partition: 0, key: null, value, headers })))
    await eventually('windows are sealed after the loss', async () =>
      (await readTopic(backup, registry, topics.releaseLedger)).some((link) => link.seq > left.seq),
    )
    await goesOn.stop()
    for (const link of (await readTopic(backup, registry, topics.releaseLedger)).slice(left.seq)) {
      assert.ok(link.kind === 'seal')
      for (const { bytes } of unpackRecords(link.records, link.hash, link.count)) {
        assert.equal(topics.loadPublic.codec.decode(bytes).rawWh, null)
      }
    }
    assert.equal(readPin(given)?.unproven, '2026-01-15')

    const without = newFile()
    writeFileSync(without, held)
    const unaware = await testDriver(pipelines(without), { start, task, topics: topicSpecs(1), log: () => older })
    await unaware.settle()
    await unaware.stop()
  })
})
