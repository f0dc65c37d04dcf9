// The same command over Kafka and a registry: what the pipelines wrote holds, what others appended does not.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { perSeal, releaseOver } from '../../helpers/ledger-stage.ts'
import { ownServices } from '../../helpers/services.ts'
import { meterveil } from './command.ts'

// Services of its own: the topics of a deployment have fixed names.
const own = await ownServices({ kafka: true, registry: true })
after(() => own.stop())

describe('ledger over Kafka', { skip: own.skip }, () => {
  it('verifies what the pipelines released, and finds what somebody appended', async (t) => {
    const brokers = own.address('kafka').split(',')
    const log = kafkaLog({ brokers })
    t.after(() => log.close())
    const url = own.address('registry')
    const seals = await releaseOver(log, confluentSchemaRegistry({ url, timeoutMs: 10_000 }))
    const env = {
      METERVEIL_MODE: 'development',
      METERVEIL_KAFKA_BROKERS: brokers.join(','),
      METERVEIL_REGISTRY_URL: url,
    }
    const sound = meterveil(['ledger', 'verify'], env)
    assert.equal(sound.code, 0, sound.stdout + sound.stderr)
    assert.match(sound.stdout, new RegExp(`^Public: ${(seals * perSeal).toLocaleString('en-US')} copies compared`, 'm'))
    assert.match(meterveil(['ledger', 'show'], env).stdout, /^2026-01-15 +utility +interval_sums +\S+ +96 +96$/m)

    for (const topic of ['release.ledger', 'load.public']) {
      const { first } = await log.bounds(topic, 0, 'read_committed')
      const reader = await log.read(topic, 0, first, 'read_committed')
      const { records } = await reader.poll({ maxRecords: 1, maxBytes: 1e6, waitMs: 5_000 })
      await reader.close()
      const { key, value, headers, timestamp } = records[0]!
      await log.append([{ topic, partition: 0, key, value, headers, timestamp }])
    }
    const forged = meterveil(['ledger', 'verify'], env)
    assert.equal(forged.code, 1)
    for (const says of [/^! link 1: an older link stands behind a newer one$/m, /charged twice/, /published twice/]) {
      assert.match(forged.stdout, says)
    }
  })
})
