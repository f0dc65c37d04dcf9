import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Crowd } from '../attacks/end-to-end/crowd.ts'

export interface KeptRuns {
  /** Every share that was kept, one at a time. */
  readonly shares: () => Iterable<Crowd>
  readonly add: (seen: Crowd) => void
}

/**
 * Runs kept in a folder, a file per share that is there whole or not at all. Only runs of the same code under the same terms
 * may stand together: throws RangeError for a folder of others.
 */
export function keptRuns(folder: string, terms: Readonly<Record<string, unknown>>): KeptRuns {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'terms.json')
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(terms))
  const found = readFileSync(file, 'utf8')
  if (!isDeepStrictEqual(JSON.parse(found), terms)) {
    throw new RangeError(`${folder} keeps runs of ${found}, not of ${JSON.stringify(terms)}: give another folder`)
  }
  const names = () => readdirSync(folder).filter((name) => /^share-\d+\.json$/.test(name))
  let count = names().length
  return {
    *shares() {
      for (const name of names()) yield JSON.parse(readFileSync(join(folder, name), 'utf8')) as Crowd
    },
    add: (seen) => {
      const path = join(folder, `share-${++count}.json`)
      writeFileSync(`${path}.part`, JSON.stringify(seen))
      renameSync(`${path}.part`, path)
    },
  }
}
