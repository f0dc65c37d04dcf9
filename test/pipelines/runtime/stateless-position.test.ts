// Where steps without state go on after a restart, when the group's position is told too low, as Kafka may after a kill.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operator } from '../../../operators/contract/operator.ts'
import { type PipelineOptions, pipeline } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/index.ts'
import { schemaCodec } from '../../../schemas/avro.ts'
import { ownTopic, topics } from '../../../schemas/topics.ts'

interface Count {
  readonly n: number
}
const codec = schemaCodec<Count>({ type: 'record', name: 'Count', fields: [{ name: 'n', type: 'int' }] })
const input = ownTopic(topics.householdReadings, 'counts', { codec })
const output = ownTopic(topics.householdReadings, 'copies', { codec })
const copy: Operator<Count, Count> = {
  spec: { name: 'copy', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const record of batch) out.emit(record, record.value)
  },
}

async function copiedOverARestart(options: PipelineOptions<Count>): Promise<readonly number[]> {
  const copies = pipeline('copies', input, (all) => all.through(copy).to(output), options)
  const driver = await testDriver([copies], { log: (log) => ({ ...log, committed: async () => 0n }) })
  await driver.pipe(input, [{ n: 1 }, { n: 2 }])
  await driver.stop()
  await driver.start()
  await driver.pipe(input, [{ n: 3 }])
  const read = await driver.read(output)
  await driver.stop()
  return read.map(({ n }) => n)
}

test('steps without state go on at the position that a topic of theirs holds', async () => {
  const state = ownTopic(topics.loadState, 'copies.state')
  assert.deepEqual(await copiedOverARestart({ state }), [1, 2, 3])
})

test('without such a topic they go on where the group is said to be, and repeat', async () => {
  assert.deepEqual(await copiedOverARestart({}), [1, 2, 1, 2, 3])
})
