import { setTimeout as sleep } from 'node:timers/promises'
import { LogError } from '../contract.ts'
import type { RedisClient } from './client.ts'
import { RedisSettingsError } from './errors.ts'

const oldest = 6
const betweenTriesMs = 50

/**
 * Refuses a server that would lose cells without a trace or cannot take them: one that evicts, a replica, a Cluster node
 * asked as a single server (or the other way round), or one too old. Rejects with `RedisSettingsError`.
 */
async function checkServers(client: RedisClient, cluster: boolean): Promise<void> {
  for (const text of await client.infos()) checkServer(text, cluster)
}

function checkServer(text: string, cluster: boolean): void {
  const facts = new Map(text.split('\r\n').map((line) => line.split(':', 2) as [string, string | undefined]))
  const policy = facts.get('maxmemory_policy')
  if (policy !== 'noeviction') {
    throw new RedisSettingsError(
      'evicting',
      `maxmemory-policy of Redis is ${policy ?? 'not told'}, so it may drop what was accepted and let duplicates in: set maxmemory-policy to noeviction`,
    )
  }
  if (facts.get('role') !== 'master') {
    throw new RedisSettingsError('replica', 'redis.nodes names a replica, which takes no writes: name its primary')
  }
  if ((facts.get('cluster_enabled') === '1') !== cluster) {
    throw new RedisSettingsError(
      'wrong_mode',
      cluster
        ? 'redis.cluster is set, but the server is no Cluster node: unset redis.cluster, or name nodes of a Cluster'
        : 'the server in redis.nodes is a Cluster node: set redis.cluster to true',
    )
  }
  const version = Number.parseInt(facts.get('redis_version') ?? '', 10)
  if (!(version >= oldest)) {
    throw new RedisSettingsError('too_old', `Redis must be version ${oldest} or newer: upgrade the server`)
  }
}

/**
 * The same for the first contact, where an absent server or a wrong password is a matter of settings too. A server that
 * is loading its data is waited for as long as a call may take.
 */
export async function checkAtStart(client: RedisClient, cluster: boolean, where: string): Promise<void> {
  const until = performance.now() + client.timeoutMs
  for (;;) {
    try {
      return await checkServers(client, cluster)
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      if (error.code === 'unauthorized') throw new RedisSettingsError('unauthorized', error.message)
      if (error.code === 'retriable' && performance.now() < until) {
        await sleep(betweenTriesMs)
        continue
      }
      const settings = cluster ? 'redis.nodes, redis.cluster and redis.tls' : 'redis.nodes and redis.tls'
      throw new RedisSettingsError(
        'unreachable',
        `Redis at ${where} does not answer: check ${settings}, and that the server runs`,
      )
    }
  }
}

/** The same while the pipeline runs: a replica then is a failover under way. */
export async function checkAgain(client: RedisClient, cluster: boolean): Promise<void> {
  try {
    await checkServers(client, cluster)
  } catch (error) {
    if (!(error instanceof RedisSettingsError && error.code === 'replica')) throw error
    throw new LogError('retriable', 'Redis is failing over: the server is a replica, which takes no writes')
  }
}
