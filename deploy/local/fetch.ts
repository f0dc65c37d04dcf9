import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServicesError } from './errors.ts'
import { withLock } from './lock.ts'
import { type Ran, run, tail } from './program.ts'

/** Says what is going on: a service or piece, and what happens to it. */
export type Report = (piece: string, says: string) => void

/** Where things are fetched to, and who is told. */
export interface FetchContext {
  /** Folder that keeps what was fetched; may be deleted at any time when nothing runs. */
  readonly cache: string
  readonly report: Report
}

/** Longer than the slowest line that is still of use. */
const fetchTimeoutMs = 600_000
const attempts = 3

/** Whether a piece was fetched before, and whole. */
export const isFetched = (cache: string, name: string): boolean => existsSync(join(cache, name, '.ok'))

/**
 * The folder of a fetched piece. Fetches it first if it is not there whole: a folder appears only with its stamp `.ok`, so a
 * broken download is done again. Several processes may ask at once.
 *
 * @throws ServicesError `fetch_failed`
 */
export async function fetched(
  context: FetchContext,
  name: string,
  title: string,
  fetch: (into: string) => Promise<void>,
): Promise<string> {
  const folder = join(context.cache, name)
  const there = () => isFetched(context.cache, name)
  if (there()) return folder
  return withLock(`${folder}.lock`, fetchTimeoutMs, async () => {
    if (there()) return folder
    const began = performance.now()
    context.report(title, 'fetching')
    const draft = `${folder}.part`
    for (const old of [draft, folder]) rmSync(old, { recursive: true, force: true })
    mkdirSync(draft, { recursive: true })
    await fetch(draft)
    writeFileSync(join(draft, '.ok'), '')
    renameSync(draft, folder)
    context.report(title, `fetched in ${seconds(began)}`)
    return folder
  })
}

/** Seconds since a moment of `performance.now()`, for a reader. */
export function seconds(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`
}

/**
 * Runs a package manager until it succeeds, a few times over.
 *
 * @throws ServicesError `fetch_failed` with the last lines that it printed.
 */
export async function fetchWith(command: string, args: readonly string[], title: string, cwd: string): Promise<void> {
  let last: Ran | undefined
  for (let attempt = 1; attempt <= attempts; attempt++) {
    last = await run(command, args, { timeoutMs: fetchTimeoutMs, cwd })
    if (last.code === 0) return
  }
  const said = last ? tail(`${last.stdout}\n${last.stderr}`) : ''
  throw new ServicesError(
    'fetch_failed',
    `${title} could not be fetched; ${command} failed ${attempts} times and said at last:\n${said}`,
    'Check the network and the settings of that package manager, then try again.',
  )
}
