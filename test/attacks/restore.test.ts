// The attack: let somebody restore the log from an old backup, and collect a second draw for windows that were published.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { hours, minutes } from '../../operators/contract/clock.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import { parsePin } from '../../operators/privacy/ledger/pin.ts'
import { filePin, writePin } from '../../pipelines/cli/ledger-pin.ts'
import { load } from '../../pipelines/load.ts'
import { type AuditParts, auditDomain } from '../../pipelines/simulation/audit-pipelines.ts'
import {
  type AuditGround,
  openAuditStage,
  releaseName,
  type SeenRecord,
} from '../../pipelines/simulation/audit-stage.ts'
import { exampleWorld } from '../../pipelines/simulation/audit-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-restore-'))
after(() => rmSync(folder, { recursive: true }))
const world = exampleWorld({ present: true, phases: 'preliminary' })
const backupAt = world.from + hours(6)

const pinned = (file: string): AuditParts => ({
  load: (options) => load({ ...options, pin: filePin(file, auditDomain) }),
})

/** Runs to the end with a backup taken on the way; answers what was published, and the backup. */
async function withBackup(parts: AuditParts): Promise<{ seen: readonly SeenRecord[]; backup: AuditGround }> {
  const stage = await openAuditStage({ world, parts })
  let backup: AuditGround | undefined
  const { seen } = await stage.run({
    stepMs: minutes(30),
    watch: async ({ log, clock }) => {
      if (clock.now() >= backupAt) backup ??= { log: log.backup(), clock }
    },
  })
  return { seen, backup: backup! }
}

/** Releases of which two different values are known. */
function twice(...all: readonly (readonly SeenRecord[])[]): readonly string[] {
  const values = new Map<string, Set<number>>()
  for (const { record } of all.flat()) {
    const name = releaseName(record)
    if (record.rawWh !== null) values.set(name, (values.get(name) ?? new Set()).add(record.rawWh))
  }
  return [...values].filter(([, known]) => known.size > 1).map(([name]) => name)
}

describe('a log that is restored from an old backup', () => {
  it('gives a second draw for what was published since, where nothing outside it remembers', async () => {
    const { seen, backup } = await withBackup({})
    const again = await (await openAuditStage({ world })).run({ on: backup })
    assert.ok(twice(seen, again.seen).length >= 40)
  })

  it('is refused where the head of the ledger is pinned: nothing is drawn, nothing published', async () => {
    const parts = pinned(join(folder, 'refused.pin'))
    const { seen, backup } = await withBackup(parts)
    const before = (await backup.log.bounds('load.public', 0, 'read_uncommitted')).end
    const stage = await openAuditStage({ world, parts, task: { settleMs: 100 } })
    await assert.rejects(stage.run({ on: backup }), (error) => {
      assert.ok(error instanceof HaltError)
      assert.match(error.message, /it was rolled back or restored/)
      return true
    })
    assert.equal((await backup.log.bounds('load.public', 0, 'read_uncommitted')).end, before)
    assert.equal(new Set(seen.map(({ record }) => releaseName(record))).size, seen.length)
  })

  it('goes on after its loss was accepted, and withholds as unproven every window of the days that it may have released', async () => {
    const file = join(folder, 'accepted.pin')
    const parts = pinned(file)
    const { seen, backup } = await withBackup(parts)
    const stage = await openAuditStage({ world, parts, task: { settleMs: 100 } })
    // What `meterveil ledger accept-loss` writes: the head that is left, and the day through which nothing is proven.
    const left = await lastLink(backup)
    await writePin(file, { domain: auditDomain, ...left, unproven: '2026-01-15' })
    assert.equal(parsePin(readFileSync(file, 'utf8')).unproven, '2026-01-15')
    const again = await stage.run({ on: backup })
    assert.deepEqual(twice(seen, again.seen), [])
    const names = new Set(
      seen.filter(({ record }) => record.window < backupAt - hours(2)).map(({ record }) => releaseName(record)),
    )
    const later = again.seen.filter(({ record }) => !names.has(releaseName(record)) && record.window >= backupAt)
    assert.ok(later.length >= 40)
    for (const { record } of later) {
      assert.equal(record.rawWh, null)
      assert.ok(record.flags.includes('withheld_unproven'))
    }
  })

  it('does not go by a pin that others may write', async () => {
    const file = join(folder, 'loose.pin')
    writeFileSync(file, '{}', { mode: 0o666 })
    chmodSync(file, 0o666)
    const stage = await openAuditStage({ world, parts: pinned(file), task: { settleMs: 100 } })
    await assert.rejects(stage.run(), /others may write it/)
  })
})

async function lastLink({ log }: AuditGround): Promise<{ readonly seq: number; readonly hash: Uint8Array }> {
  const stage = await openAuditStage({ world })
  const links = await stage.ledgerIn(log)
  const { seq, hash } = links.at(-1)!
  return { seq, hash }
}
