import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hours, minutes } from '../../../operators/contract/clock.ts'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { forecast } from '../../../pipelines/forecast.ts'
import { load } from '../../../pipelines/load.ts'
import { publish } from '../../../pipelines/publish.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { checkRelease } from '../../helpers/release-checker.ts'
import {
  berlin,
  cell,
  countingNoise,
  domain,
  partial,
  policyWith,
  releaseOptions,
} from '../../helpers/release-fixtures.ts'

const start = berlin('2026-01-15T00:00')

describe('load, publish and forecast over the log', () => {
  it('release every window once, at its tick, through two restarts', async () => {
    // The wire format of the public bytes is fixed in the seal; the registry of the driver gives the first id to it.
    const { codec } = topics.loadPublic
    const framed = {
      schema: codec.schema,
      encode: (value: LoadPublic) => wire.encode(topics.loadPublic, value),
      decode: (bytes: Uint8Array) => wire.decode(topics.loadPublic, bytes) as LoadPublic,
    }
    const driver = await testDriver(
      [
        load(releaseOptions({ published: { ...topics.loadPublic, codec: framed }, noise: countingNoise() })),
        publish({ codec: framed, domain: domain.name }),
        forecast({ timeZone: domain.timeZone }),
      ],
      { start, topics: topicSpecs(1) },
    )
    const wire = await openWire(driver.ports.registry, [topics.loadPublic])
    for (let n = 1; n <= 62; n++) {
      await driver.advance(minutes(30))
      if (n === 20 || n === 55) {
        await driver.stop()
        await driver.start()
      }
      // The window began an hour ago and falls due ten minutes ago, which progress has not reached yet.
      const window = start + n * minutes(30) - hours(1)
      const date = window < start + hours(24) ? '2026-01-15' : '2026-01-16'
      const cells = window < start ? [] : [cell(`${date}T00:00`, 100_000 + n, { window, date })]
      await driver.pipe(topics.loadPartials, [
        partial(0, n, driver.clock.now() - minutes(15), cells),
        partial(1, n, driver.clock.now() - minutes(15)),
      ])
    }
    await driver.advance(hours(1))

    const ledger = await driver.read(topics.releaseLedger)
    const copies = await driver.records(topics.loadPublic, 'read_uncommitted')
    const published = copies.map(({ key, value, timestamp }) => ({
      key: Buffer.from(key ?? []).toString(),
      bytes: value ?? new Uint8Array(),
      timestamp,
    }))
    const { cap } = resolvePolicy(policyWith({}))
    assert.deepEqual(checkRelease({ ledger, published, codec: framed, cap }), [])
    const seals = ledger.filter((link) => link.kind === 'seal')
    assert.equal(published.length, seals.length * 7)
    assert.equal(seals.filter(({ date, phase }) => date === '2026-01-15' && phase === 'late').length, 96)
    const forecasts = await driver.read(topics.forecastPublic)
    assert.ok(forecasts.length > 0)
    const names = forecasts.map((each) => `${each.level}/${each.group}/${each.channel}/${each.start}`)
    assert.equal(new Set(names).size, names.length)
    await driver.stop()
  })
})
