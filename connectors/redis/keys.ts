/** Cells of one table and day lie in buckets of neighbouring indices: one Redis string each, slots of one width. */
export const slotsPerBucket = 1_024

/** Names of the keys of one scope. The braces put all of them into one hash slot of a Cluster. */
export interface ScopeKeys {
  /** Hash: gen, seq, hash, bases. */
  readonly head: string
  /** Generations to be swept. */
  readonly dead: string
  readonly generation: (gen: string) => GenerationKeys
}

export interface GenerationKeys {
  readonly gen: string
  /** What the names in the registry are to be preceded by. */
  readonly prefix: string
  /** Sorted set of the generation's buckets and hashes of long values, by day. */
  readonly registry: string
  /** Text of the bases. */
  readonly bases: string
}

// The version of the layout is part of every name: another layout is another view, and this one then is empty.
const layout = 'v1'

export function scopeKeys(prefix: string, scope: string): ScopeKeys {
  const tagged = `${prefix}:${layout}:{${encodeURIComponent(scope)}}`
  return {
    head: `${tagged}:head`,
    dead: `${tagged}:dead`,
    generation: (gen) => {
      const start = `${tagged}:${encodeURIComponent(gen)}:`
      return { gen, prefix: start, registry: `${start}registry`, bases: `${start}bases` }
    },
  }
}

/** Name of a bucket within its generation. */
export function bucketName(table: string, day: number, bucket: number): string {
  return `c:${encodeURIComponent(table)}:${day}:${bucket}`
}

/** Table and day of a bucket, or of the hash of its long values, by name. */
export function partsOf(name: string): { readonly table: string; readonly day: number } {
  const [, table = '', day = ''] = name.split(':')
  return { table: decodeURIComponent(table), day: Number(day) }
}

/** Name of the hash of a bucket's long values, by slot. */
export function longName(bucket: string): string {
  return `l${bucket.slice(1)}`
}
