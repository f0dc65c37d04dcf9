import { setMaxListeners } from 'node:events'
import { type Log, LogError, type Transactor } from '../contract.ts'
import { createAppender } from './appender.ts'
import { createClient } from './client.ts'
import { openDirectory } from './directory.ts'
import { joinGroup } from './groups.ts'
import { clusterOf } from './kafkajs-internals.ts'
import { type KafkaLogOptions, withDefaults } from './options.ts'
import { openReader } from './reader.ts'
import { createTopics } from './topics.ts'
import { openTransactor } from './transactor.ts'

/**
 * The log over Apache Kafka 4. Connects with the first call that needs a broker.
 *
 * Every call ends within `deadlineMs`. A call outside transactions that a broker did not answer is tried again until then;
 * one inside ends its transactor with `unknown_outcome`.
 */
export function kafkaLog(options: KafkaLogOptions): Log {
  const settings = withDefaults(options)
  const kafka = createClient(settings)
  const directory = openDirectory(clusterOf(kafka), settings)
  const appender = createAppender(kafka, directory, settings)
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const transactors = new Set<Transactor>()
  const requireOpen = () => {
    if (closing.signal.aborted) throw new LogError('closed', 'the log is closed')
  }
  const whileOpen =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      requireOpen()
      return call(...args)
    }

  return {
    createTopics: whileOpen((specs) => createTopics(kafka, directory, settings, specs)),
    partitions: whileOpen(directory.partitions),
    bounds: whileOpen(directory.bounds),
    open: whileOpen(async (transactionalId, { timeoutMs }) => {
      const transactor = await openTransactor(kafka, directory, settings, transactionalId, timeoutMs)
      const tracked: Transactor = {
        ...transactor,
        close: async () => {
          transactors.delete(tracked)
          await transactor.close()
        },
      }
      transactors.add(tracked)
      return tracked
    }),
    read: whileOpen(async (topic, partition, from, isolation, oversize = 'throw') => {
      await directory.requirePartition(topic, partition)
      return openReader(directory, { topic, partition, from, isolation, oversize }, settings.deadlineMs, closing.signal)
    }),
    committed: whileOpen(directory.committed),
    join: whileOpen((group, topic, handlers) => joinGroup(directory, settings, group, topic, handlers, closing.signal)),
    append: whileOpen(appender.append),
    close: async () => {
      if (closing.signal.aborted) return
      closing.abort()
      await Promise.all([...transactors].map((transactor) => transactor.close()))
      await appender.close()
      await directory.close()
    },
  }
}
