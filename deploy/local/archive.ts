import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Java } from './java.ts'
import type { NodeSpec } from './state.ts'

/**
 * JVM options that make the next start faster: a JVM that ends writes down the classes it loaded, and later ones of the
 * same build and class path map that file instead of parsing the classes again.
 */
export function classDataArchive(
  cache: string,
  folder: string,
  name: string,
  java: Java,
): { readonly options: readonly string[]; readonly archive?: NonNullable<NodeSpec['archive']> } {
  const build = createHash('sha256').update(`${java.command} ${java.version}`).digest('hex').slice(0, 12)
  const kept = join(cache, 'archives', `${name}-${build}.jsa`)
  if (existsSync(kept)) return { options: [`-XX:SharedArchiveFile=${kept}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'] }
  mkdirSync(join(cache, 'archives'), { recursive: true })
  const draft = join(folder, `${name}.jsa`)
  return {
    options: [`-XX:ArchiveClassesAtExit=${draft}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'],
    archive: { draft, kept },
  }
}

/** Keeps the archive of a JVM that ended by itself: one that was killed may have left half of it. */
export function keepArchive({ archive }: NodeSpec): void {
  if (archive && existsSync(archive.draft) && !existsSync(archive.kept)) renameSync(archive.draft, archive.kept)
}
