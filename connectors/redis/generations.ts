import { type CellValue, LogError, type ViewPosition } from '../contract.ts'
import { type Bucket, bucketMap, packBucket, wholeBucket } from './buckets.ts'
import { findBases, noBases } from './cell-bases.ts'
import type { RedisArgument, RedisClient } from './client.ts'
import { type GenerationKeys, longName, type ScopeKeys, slotsPerBucket } from './keys.ts'
import { sweepScript, switchScript } from './scripts.ts'

/** Bytes under way at once in a rebuild. */
const mostBytes = 1_000_000
/** Commands under way at once, and keys deleted at once. */
const mostCommands = 256

/** Collects cells into whole buckets; the last value of a cell counts. */
function collectCells(cells: Iterable<CellValue>): readonly Bucket<Uint8Array>[] {
  const buckets = bucketMap<Uint8Array>()
  for (const { table, day, index, value } of cells) {
    buckets.at(table, day, index).puts.set(index % slotsPerBucket, value)
  }
  return buckets.all
}

/**
 * Cells as whole buckets, each given out as soon as the next cell lies in another one, so that one bucket is held. Ends with
 * false where a cell lies in a bucket that was given out before.
 */
function* bucketsInOrder(cells: Iterable<CellValue>): Generator<Bucket<Uint8Array>, boolean> {
  const given = new Set<string>()
  let open: Bucket<Uint8Array> | undefined
  let first = 0
  for (const { table, day, index, value } of cells) {
    const inside = index >= first && index < first + slotsPerBucket
    if (open === undefined || !inside || day !== open.day || table !== open.table) {
      if (open !== undefined) yield open
      open = bucketMap<Uint8Array>().at(table, day, index)
      first = index - (index % slotsPerBucket)
      if (given.has(open.name)) return false
      given.add(open.name)
    }
    open.puts.set(index % slotsPerBucket, value)
  }
  if (open !== undefined) yield open
  return true
}

/** Writes buckets as they come; false as soon as they do not come in order. */
async function inOrder(cells: Iterable<CellValue>, write: (bucket: Bucket<Uint8Array>) => Promise<void>) {
  const buckets = bucketsInOrder(cells)
  for (;;) {
    const next = buckets.next()
    if (next.done) return next.value
    await write(next.value)
  }
}

/** What can be gone through only once cannot be begun anew. */
const isOneShot = (cells: Iterable<CellValue>): boolean => (cells[Symbol.iterator]() as unknown) === cells

/**
 * Writes a generation that nobody looks at yet, with a time to live that sweeps it should this process end before the
 * switch. Answers the names of its keys and the token of its bases.
 *
 * Cells that come bucket by bucket are written as they come; in any other order they are collected first, and so are those
 * of an iterable that cannot be begun anew.
 */
export async function writeGeneration(
  client: RedisClient,
  keys: GenerationKeys,
  cells: Iterable<CellValue>,
  ttlSeconds: number,
): Promise<{ readonly written: readonly string[]; readonly token: string }> {
  const written = new Set<string>()
  const sends = boundedSends(client)
  const finder = findBases(noBases)
  const registered: RedisArgument[] = []
  const write = async (bucket: Bucket<Uint8Array>): Promise<void> => {
    const packed = packBucket(bucket, finder)
    const key = keys.prefix + bucket.name
    await sends.add('set', [key, wholeBucket(packed), 'EX', ttlSeconds])
    written.add(key)
    registered.push(bucket.day, bucket.name)
    if (packed.long.length > 0) {
      const long = longName(bucket.name)
      for (const { slot, value } of packed.long) {
        await sends.add('hset', [keys.prefix + long, slot, Buffer.from(value)])
      }
      await sends.add('expire', [keys.prefix + long, ttlSeconds])
      written.add(keys.prefix + long)
      registered.push(bucket.day, long)
    }
  }
  if (isOneShot(cells) || !(await inOrder(cells, write))) {
    // What was written of a bucket must not come after the whole of it.
    await sends.done()
    for (const bucket of collectCells(cells)) await write(bucket)
  }
  const bases = finder.done()
  if (registered.length > 0) {
    await sends.add('set', [keys.bases, bases.text, 'EX', ttlSeconds])
    for (let at = 0; at < registered.length; at += mostCommands * 2) {
      await sends.add('zadd', [keys.registry, ...registered.slice(at, at + mostCommands * 2)])
    }
    await sends.add('expire', [keys.registry, ttlSeconds])
    written.add(keys.bases).add(keys.registry)
  }
  await sends.done()
  return { written: [...written], token: bases.token }
}

/** Sends commands side by side, but never more than a bounded number of bytes. */
function boundedSends(client: RedisClient) {
  let open: Promise<unknown>[] = []
  let bytes = 0
  const done = async () => {
    const settling = open
    open = []
    bytes = 0
    await Promise.all(settling)
  }
  return {
    add: async (command: string, args: readonly RedisArgument[]): Promise<void> => {
      const sent = client.call(command, args)
      // Rejections are told by `done`; until then they must not count as unhandled.
      sent.catch(() => {})
      open.push(sent)
      for (const one of args) bytes += typeof one === 'number' ? 8 : one.length
      if (open.length >= mostCommands || bytes >= mostBytes) await done()
    },
    done,
  }
}

/** Makes a written generation the view's, by one compare-and-set. */
export async function switchGeneration(
  client: RedisClient,
  scope: ScopeKeys,
  from: ViewPosition | undefined,
  to: ViewPosition,
  generation: { readonly written: readonly string[]; readonly token: string },
): Promise<'ok' | 'mismatch'> {
  const expected = from === undefined ? ['0', '', '', ''] : ['1', from.gen, String(from.seq), from.hash]
  const answer = await client.script(
    switchScript,
    [scope.head, scope.dead, ...generation.written],
    [...expected, to.gen, String(to.seq), to.hash, generation.token],
  )
  if (answer === 1) return 'ok'
  if (answer === 0) return 'mismatch'
  throw new LogError('retriable', 'Redis lost parts of the view while it was rebuilt; the rebuild begins again')
}

/** Deletes what generations left behind, a bounded number of keys at a time. */
export async function sweepDead(client: RedisClient, scope: ScopeKeys): Promise<void> {
  const dead = (await client.call('smembers', [scope.dead])) as readonly Buffer[]
  for (const member of dead) await sweepGeneration(client, scope, scope.generation(member.toString()))
}

async function sweepGeneration(client: RedisClient, scope: ScopeKeys, keys: GenerationKeys): Promise<void> {
  for (;;) {
    const names = (await client.call('zrange', [keys.registry, 0, mostCommands - 1])) as readonly Buffer[]
    const last = names.length < mostCommands
    const answer = await client.script(
      sweepScript,
      [scope.head, scope.dead, keys.registry, keys.bases, ...names.map((name) => keys.prefix + name.toString())],
      [keys.gen, Buffer.byteLength(keys.prefix), last ? '1' : '0'],
    )
    if (last || answer !== 1) return
  }
}

/** Deletes a generation that never came to be the view's. */
export async function dropUnused(client: RedisClient, written: readonly string[]): Promise<void> {
  for (let at = 0; at < written.length; at += mostCommands) {
    await client.call('unlink', written.slice(at, at + mostCommands))
  }
}
