import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'

/** One figure of a night: what, how much, in which unit, and the goal it is held against. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal: string
}

const commitOf = (): string => {
  try {
    const head = (...args: readonly string[]) =>
      execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const commit = head('rev-parse', '--short', 'HEAD').trim()
    return head('status', '--porcelain', '--', '../..').trim() === '' ? commit : `${commit} and changes`
  } catch {
    return 'unknown'
  }
}

const { openssl = 'unknown' } = process.versions
const commit = commitOf()
const [cpu] = cpus()

/** The figures with the machine and the commit that made them, as the benches of this repository keep theirs. */
export const reportOf = (figures: readonly Figure[]) => ({
  bench: 'nightly',
  at: new Date().toISOString(),
  commit,
  node: process.version,
  openssl,
  cpu: cpu?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  figures,
})
