/**
 * The command over one small pipeline on the in-process log. TOY chooses what goes on: `busy` feeds its own input,
 * `halt` breaks a promise at the first batch, `stuck` never answers a commit.
 */
import { memoryLog, memorySchemaRegistry, memoryStateView } from '../../../connectors/memory/index.ts'
import { systemClock } from '../../../operators/contract/clock.ts'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { Operator } from '../../../operators/contract/operator.ts'
import { runCommand } from '../../../pipelines/cli/program.ts'
import type { Deployment } from '../../../pipelines/cli/run.ts'
import { pipeline } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import type { MeterFrame } from '../../../schemas/meter-frame.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'

const toy = process.env['TOY'] ?? 'busy'
const frame: MeterFrame = {
  connection: 'secret-meter-4711',
  listener: 'test',
  zone: 'main',
  transport: 'apdu',
  forwarded: 0,
  bytes: new Uint8Array([1, 2, 3]),
}

const pass: Operator<MeterFrame, MeterFrame> = {
  spec: { name: 'pass', drops: [], rejects: [] },
  process: (batch, out) => {
    if (toy === 'halt' && batch.length > 0) throw new HaltError('a promise was broken', 'Mend it, then start again.')
    for (const record of batch) out.emit(record, record.value)
  },
}

const unanswered = () => {
  process.stderr.write('a commit goes unanswered\n')
  return new Promise<void>(() => {})
}

const copy = pipeline('copy', topics.meterFrames, (input) => input.through(pass).to(topics.meterFrames))
const idle = pipeline('idle', topics.meterRejected, (input) => input.to(topics.meterRejected))

async function deploy(): Promise<Deployment> {
  const log = memoryLog()
  const registry = memorySchemaRegistry()
  await log.createTopics(topicSpecs(1))
  const wire = await openWire(registry, Object.values(topics))
  const value = wire.encode(topics.meterFrames, frame)
  await log.append([{ topic: topics.meterFrames.name, partition: 0, key: null, value }])
  const stuck: typeof log = {
    ...log,
    open: async (...args) => ({ ...(await log.open(...args)), commit: unanswered }),
  }
  return {
    pipelines: [copy, idle],
    ports: {
      log: toy === 'stuck' ? stuck : log,
      view: memoryStateView(),
      registry,
      clock: systemClock,
      seal: (bytes) => bytes,
    },
    task: { lingerMs: 10 },
    zone: 'main',
    partitionOf: () => 0,
    close: log.close,
  }
}

await runCommand(process.argv, { pipelines: async () => [copy, idle], deploy })
