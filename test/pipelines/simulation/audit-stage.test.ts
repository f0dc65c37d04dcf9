import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PartialSumsOptions, partialSums } from '../../../operators/privacy/partial-sums.ts'
import { clipFor } from '../../../operators/privacy/release/policy.ts'
import { auditPolicy, type CrashPoint, openAuditStage } from '../../../pipelines/simulation/audit-stage.ts'
import { exampleWorld } from '../../../pipelines/simulation/audit-world.ts'
import { byLevel } from '../../../schemas/register-entry.ts'

const world = exampleWorld({ present: true, phases: 'preliminary' })
const seal: CrashPoint = { pipeline: 'load', step: 'produce', at: 'after', nth: 2 }

describe('a run of an audit', () => {
  for (const { says, crash, missed } of [
    { says: 'ends well without a crash', crash: undefined },
    { says: 'ends well after the crash', crash: seal },
    { says: 'ends well after each of the crashes', crash: { ...seal, times: 2 } },
    {
      says: 'says that it never came to the crash',
      crash: { ...seal, nth: 9_999 },
      missed: /^no crash: a run came to load:produce:after \d+ times, and never to load:produce:after:9999$/,
    },
    {
      says: 'says that it never came to a step that the pipeline does not take',
      crash: { ...seal, pipeline: 'publish', step: 'lookup' } satisfies CrashPoint,
      missed: /came to publish:lookup:after 0 times/,
    },
    {
      says: 'says that there were too few crashes',
      crash: { ...seal, step: 'commit', times: 9_999 } satisfies CrashPoint,
      missed: /^too few crashes: .* and not 9999 times from load:commit:after:2 on$/,
    },
  ] as const) {
    it(says, async () => {
      const stage = await openAuditStage({ world, crash })
      if (!missed) return void (await stage.run())
      await assert.rejects(stage.run(), { name: 'CrashMissed', message: missed })
    })
  }

  it('states to [load] what its readings were bounded to, as [readings] does', async () => {
    const stated: PartialSumsOptions[] = []
    const sums = (options: PartialSumsOptions) => {
      stated.push(options)
      return partialSums(options)
    }
    await openAuditStage({ world, parts: { sums } })
    const policy = auditPolicy()
    const bounds = byLevel((level) => clipFor(policy, level))
    assert.deepEqual(
      stated.map(({ clip }) => clip?.('2026-01-15')),
      [bounds],
    )
  })
})
