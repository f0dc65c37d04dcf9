import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from './client.ts'
import { isRetriable, toLogError } from './errors.ts'
import { type KafkaLogOptions, withDefaults } from './options.ts'
import { goodbye, retrying } from './retry.ts'

const pauseMs = 50

/**
 * Deletes topics with everything in them, and resolves once none of them is there any more. For simulations and tests:
 * nothing that runs a deployment may call it. Topics that are not there are passed over. Rejects with `LogError`.
 */
export async function deleteTopics(options: KafkaLogOptions, names: readonly string[]): Promise<void> {
  const settings = withDefaults(options)
  const admin = createClient(settings).admin()
  try {
    await retrying(settings.deadlineMs, isRetriable, () => admin.connect())
    const until = performance.now() + settings.deadlineMs
    for (;;) {
      const present = new Set(await admin.listTopics())
      const topics = names.filter((name) => present.has(name))
      if (topics.length === 0) return
      if (performance.now() > until) throw new Error(`${topics[0]} is still there`)
      // What another call has begun to delete is listed until it is gone.
      await admin.deleteTopics({ topics }).catch(() => {})
      await pause(pauseMs)
    }
  } catch (error) {
    throw toLogError(error, 'deleting topics', 'retriable')
  } finally {
    await goodbye(admin)
  }
}
