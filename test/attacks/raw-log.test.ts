// The attack: read the log raw. read_uncommitted over every topic, and the files of the durable log themselves, where records
// of aborted transactions stay.
import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { memorySchemaRegistry, openDurableLog } from '../../connectors/memory/index.ts'
import { unpackRecords } from '../../operators/privacy/ledger/packed-records.ts'
import { readRange } from '../../pipelines/runtime/changelog.ts'
import type { AnyTopic } from '../../pipelines/runtime/stream.ts'
import { openWire } from '../../pipelines/runtime/wire.ts'
import { type AuditRun, type CrashPoint, openAuditStage, releaseName } from '../../pipelines/simulation/audit-stage.ts'
import { exampleWorld } from '../../pipelines/simulation/audit-world.ts'
import { type Role, roles } from '../../schemas/access.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import { topics } from '../../schemas/topics.ts'

const root = mkdtempSync(join(tmpdir(), 'meterveil-raw-'))
after(() => rmSync(root, { recursive: true }))
const stageOf = (crash: CrashPoint) =>
  openAuditStage({ world: exampleWorld({ present: true, phases: 'preliminary' }), crash })

const wire = await openWire(memorySchemaRegistry(), Object.values(topics) as readonly AnyTopic[])

/** Every value that anybody who may read a topic raw finds for each release in the ledger. */
async function drawsIn(
  { log }: Pick<AuditRun, 'log'>,
  decode: (bytes: Uint8Array) => Parameters<typeof releaseName>[0],
) {
  const { first, end } = await log.bounds('release.ledger', 0, 'read_uncommitted')
  const draws = new Map<string, Set<number>>()
  for (const { value } of await readRange(log, 'release.ledger', 0, first, end, 'read_uncommitted')) {
    const link = wire.decode(topics.releaseLedger as AnyTopic, value!) as LedgerRecord
    if (link.kind !== 'seal') continue
    for (const { bytes } of unpackRecords(link.records, link.hash, link.count)) {
      const record = decode(bytes) as Parameters<typeof releaseName>[0] & { readonly rawWh: number | null }
      const name = releaseName(record)
      draws.set(name, (draws.get(name) ?? new Set()).add(record.rawWh ?? Number.NaN))
    }
  }
  return draws
}

describe('reading the log raw', () => {
  it('finds two draws for a window in the ledger after an aborted seal: so none but four roles may read it', async () => {
    const stage = await stageOf({ pipeline: 'load', step: 'produce', at: 'after', nth: 2 })
    const run = await stage.run()
    const twice = [...(await drawsIn(run, stage.decode)).values()].filter(({ size }) => size > 1)
    assert.ok(twice.length > 50, `${twice.length}`)
    // Of these only one was ever published.
    const values = new Map<string, Set<number | null>>()
    for (const { record } of run.seen) {
      const name = releaseName(record)
      values.set(name, (values.get(name) ?? new Set()).add(record.rawWh))
    }
    assert.ok([...values.values()].every(({ size }) => size === 1))
    const readers = (Object.keys(roles) as Role[]).filter((role) => roles[role].reads.includes('release.ledger'))
    assert.deepEqual(readers.sort(), ['auditor', 'load', 'publish'])
  })

  for (const crash of [
    { pipeline: 'load', step: 'produce', at: 'after', nth: 2 },
    { pipeline: 'load', step: 'commit', at: 'after', nth: 2 },
    { pipeline: 'publish', step: 'produce', at: 'after', nth: 1 },
    { pipeline: 'publish', step: 'commit', at: 'before', nth: 1 },
  ] as const) {
    it(`finds one value of each release in the files of load.public after a crash ${crash.at} ${crash.step} of [${crash.pipeline}]`, async () => {
      const folder = mkdtempSync(join(root, 'log-'))
      const stage = await stageOf(crash)
      const { seen, log } = await stage.run({ openLog: (clock) => openDurableLog({ folder, fsync: 'none', clock }) })
      await log.close()
      const copies = new Map<string, Set<string>>()
      for (const each of seen) {
        const name = releaseName(each.record)
        copies.set(name, (copies.get(name) ?? new Set()).add(Buffer.from(each.bytes).toString('hex')))
      }
      assert.equal(copies.size, 96)
      assert.ok([...copies.values()].every(({ size }) => size === 1))
      const known = new Set([...copies.values()].flatMap((bytes) => [...bytes]))
      const files = globSync('**/*load.public*/**', { cwd: folder, withFileTypes: true }).filter((file) =>
        file.isFile(),
      )
      assert.ok(files.length > 0)
      const raw = Buffer.concat(files.map((file) => readFileSync(join(file.parentPath, file.name))))
      assert.equal(recordsIn(raw, known), seen.length)
    })
  }
})

/**
 * How many public records a carver finds in raw bytes: every place where the wire format of load.public begins and a whole
 * record follows. Throws where one of them is none of the known ones.
 */
function recordsIn(raw: Buffer, known: ReadonlySet<string>): number {
  const lengths = new Set([...known].map((hex) => hex.length / 2))
  let found = 0
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] !== 0) continue
    for (const length of lengths) {
      const bytes = raw.subarray(at, at + length)
      if (bytes.length < length) continue
      if (known.has(bytes.toString('hex'))) {
        found += 1
        continue
      }
      if (raw.readUInt32BE(Math.min(at + 1, raw.length - 4)) > 100) continue
      let record: unknown
      try {
        record = wire.decode(topics.loadPublic as AnyTopic, bytes)
      } catch {
        continue
      }
      assert.fail(`another public record lies in the files: ${JSON.stringify(record).slice(0, 80)}`)
    }
  }
  return found
}
