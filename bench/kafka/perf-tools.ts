import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../../deploy/local/index.ts'
import { findJava } from '../../deploy/local/java.ts'
import { kafkaToolJars } from '../../deploy/local/maven.ts'

const run = promisify(execFile)

export interface PerfToolsOptions {
  /** `host:port,…`. */
  readonly brokers: string
  /** A topic that exists; it is written to and read. */
  readonly topic: string
  readonly records: number
  /** Bytes of a record. */
  readonly bytes: number
}

/** Records a second that Kafka's own producer and consumer tools reach, one process each, without transactions. */
export async function perfTools({ brokers, topic, records, bytes }: PerfToolsOptions) {
  const report = (piece: string, says: string) => process.stderr.write(`${piece}: ${says}\n`)
  const jars = await kafkaToolJars({ cache: cacheFolder, report })
  const java = await findJava(17)
  if (java === undefined) throw new Error("Kafka's tools need Java 17 or newer on the PATH")
  const tool = async (name: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await run(java.command, ['-cp', join(jars, '*'), `org.apache.kafka.tools.${name}`, ...args])
    return stdout
  }
  const count = ['--topic', topic, '--num-records', String(records)]
  const produced = await tool('ProducerPerformance', [
    ...count,
    ...['--record-size', String(bytes), '--throughput', '-1'],
    ...['--producer-props', `bootstrap.servers=${brokers}`, 'acks=all', 'batch.size=65536', 'linger.ms=5'],
  ])
  const consumed = await tool('ConsumerPerformance', [...count, '--bootstrap-server', brokers, '--timeout', '60000'])
  return {
    producedPerSecond: Number(/([\d.]+) records\/sec[^\n]*\n*$/.exec(produced.trim())?.[1]),
    consumedPerSecond: Number(consumed.trim().split('\n').at(-1)?.split(', ')[5]),
  }
}
