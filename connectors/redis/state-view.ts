import { type Exchanged, LogError, type StateView, type ViewPosition } from '../contract.ts'
import { type CellBases, noBases } from './cell-bases.ts'
import { type RedisClient, type RedisConnectionOptions, redisClient } from './client.ts'
import { cellsOf, type DoomedKeys, type ExchangeRequest, exchangeCall, noKeys, readReply } from './exchange.ts'
import { dropUnused, sweepDead, switchGeneration, writeGeneration } from './generations.ts'
import { type GenerationKeys, partsOf, type ScopeKeys, scopeKeys } from './keys.ts'
import { exchangeScript } from './scripts.ts'
import { checkAgain, checkAtStart } from './server-check.ts'

export interface RedisViewOptions extends RedisConnectionOptions {
  /** Begins the name of every key, so that views can share a server. Default `meterveil`. */
  readonly keyPrefix?: string
  /** Sweeps what a rebuild wrote that never ended; must be longer than a rebuild takes. Default 3,600 s. */
  readonly rubbishTtlSeconds?: number
}

/** What one client knows of a scope. All of it is checked by every call, so that it may be out of date. */
interface Known {
  readonly gen: string
  bases: CellBases
  /** The floors under which everything is deleted, as a text. */
  floors: string
}

/** Others may change the bases or the floor between two calls, but each of them only ever does so for one apply. */
const mostTurns = 8

/**
 * A state view in Redis 6 or newer (or Valkey), single or Cluster. Rejects with `RedisSettingsError` if the servers do not
 * answer, refuse the user, evict, or are of another kind than said.
 *
 * *State*: about 17 bytes per measuring point and day for half-hourly import readings; every key of a scope lies in one
 * hash slot. *Delivery*: every call is one script, a compare-and-set, so what arrives late or twice does no harm; `reset`
 * writes whole buckets under the new generation and switches once. *Errors*: `LogError`; `retriable` had no effect,
 * `unknown_outcome` may have had it. Nothing is sent twice. Servers are checked again at each `position`, since a failover
 * may have put others in their place. *Privacy*: cells hold no meter number; keys hold the scope, table and day. The user
 * needs `redisViewCommands` on the keys that begin with `keyPrefix`.
 */
export async function openRedisView(options: RedisViewOptions): Promise<StateView> {
  const { keyPrefix = 'meterveil', rubbishTtlSeconds = 3_600, cluster = false } = options
  const client = redisClient(options)
  const where = options.nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
  try {
    await checkAtStart(client, cluster, where)
  } catch (error) {
    await client.close()
    throw error
  }
  return viewOver(client, cluster, (scope) => scopeKeys(keyPrefix, scope), rubbishTtlSeconds)
}

function viewOver(
  client: RedisClient,
  cluster: boolean,
  keysOf: (scope: string) => ScopeKeys,
  ttlSeconds: number,
): StateView {
  const known = new Map<string, Known>()
  const sweeping = new Set<Promise<void>>()
  /** Deletes in the background; what fails is done again at the next rebuild, or by the time to live. */
  const inBackground = (work: Promise<void>) => {
    const quiet = work.catch(() => {}).finally(() => sweeping.delete(quiet))
    sweeping.add(quiet)
  }
  const position = async (scope: string): Promise<ViewPosition | undefined> => {
    const [gen, seq, hash] = (await client.call('hmget', [
      keysOf(scope).head,
      'gen',
      'seq',
      'hash',
    ])) as (Buffer | null)[]
    return gen ? { gen: String(gen), seq: Number(String(seq)), hash: String(hash) } : undefined
  }

  const exchange = async (scope: string, request: ExchangeRequest): Promise<Exchanged> => {
    const { gen } = request.expected
    const keys = keysOf(scope)
    const generation = keys.generation(gen)
    const floors = floorsOf(request.apply)
    for (let turn = 0; turn < mostTurns; turn++) {
      const now = knownOf(known, scope, gen)
      const doomed = floors.highest > 0 && floors.text !== now.floors ? await below(client, generation, floors) : noKeys
      const call = exchangeCall(keys, generation, request, now.bases, doomed)
      const reply = readReply(await client.script(exchangeScript, call.keys, call.args))
      if (reply.status === 'mismatch') return reply
      if (reply.status === 'ok') {
        // An apply that was there already may have been stored under fewer bases than this call found.
        if (reply.token === call.bases.token) now.bases = call.bases
        if (request.apply !== undefined) now.floors = floors.text
        return { status: 'ok', cells: cellsOf(call, reply.slots, request.lookup.length) }
      }
      if (reply.status === 'other_bases') now.bases = reply.bases
      else now.floors = ''
    }
    throw new LogError('retriable', 'another owner keeps changing the view')
  }

  return {
    position: async (scope) => {
      await checkAgain(client, cluster)
      return position(scope)
    },
    exchange,
    reset: async (scope, from, to, cells) => {
      const keys = keysOf(scope)
      const present = await position(scope)
      // A generation that is in use must never be written to from aside.
      if (!same(present, from) || present?.gen === to.gen) return 'mismatch'
      const generation = await writeGeneration(client, keys.generation(to.gen), cells, ttlSeconds)
      const answer = await switchGeneration(client, keys, from, to, generation)
      known.delete(scope)
      inBackground(answer === 'ok' ? sweepDead(client, keys) : dropUnused(client, generation.written))
      return answer
    },
    close: async () => {
      await Promise.all(sweeping)
      await client.close()
    },
  }
}

function knownOf(known: Map<string, Known>, scope: string, gen: string): Known {
  const present = known.get(scope)
  if (present?.gen === gen) return present
  const fresh: Known = { gen, bases: noBases, floors: '' }
  known.set(scope, fresh)
  return fresh
}

/** Floors of an apply: below `lowest` every table is dropped. */
interface ApplyFloors {
  readonly lowest: number
  readonly highest: number
  readonly tables: ReadonlyMap<string, number>
  readonly text: string
}

function floorsOf(apply: ExchangeRequest['apply']): ApplyFloors {
  const lowest = apply?.floorDay ?? 0
  const tables = apply?.tableFloors ?? new Map<string, number>()
  const text = [lowest, ...[...tables].map(([table, day]) => `${encodeURIComponent(table)}=${day}`)].join(' ')
  return { lowest, highest: Math.max(lowest, ...tables.values()), tables, text }
}

/** Names of the keys of days below the floors: first of those that no table keeps, then of some tables' own. */
async function below(
  client: RedisClient,
  { registry }: GenerationKeys,
  { lowest, highest, tables }: ApplyFloors,
): Promise<DoomedKeys> {
  const names = (await client.call('zrangebyscore', [registry, '1', `(${highest}`])) as readonly Buffer[]
  const [ofAll, ofTables]: [string[], string[]] = [[], []]
  for (const name of names.map(String)) {
    const { table, day } = partsOf(name)
    if (day < lowest) ofAll.push(name)
    else if (day < (tables.get(table) ?? lowest)) ofTables.push(name)
  }
  return { ofAll, ofTables }
}

function same(a: ViewPosition | undefined, b: ViewPosition | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.gen === b.gen && a.seq === b.seq && a.hash === b.hash
}
