import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'

/** One figure of a bench: what, how much, in which unit, and the goal it is held against, if there is one. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** `<= 2.5` or `>= 150000`: compared with the value. */
  readonly goal?: string
}

/** A bench result with the machine that made it. Speeds of other machines differ; ratios within a run hold better. */
export interface Report {
  readonly bench: string
  readonly at: string
  readonly commit: string
  readonly node: string
  readonly openssl: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly figures: readonly Figure[]
}

const folder = join(import.meta.dirname, 'reports')

/**
 * Prints figures as a table and, of a run in full, saves them as `bench/reports/<bench>.json`: by default of one without
 * arguments. Sets exit code 1 where a goal is missed.
 */
export function report(bench: string, figures: readonly Figure[], inFull = process.argv.length === 2): Report {
  const made: Report = {
    bench,
    at: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    openssl: process.versions.openssl ?? 'unknown',
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    figures,
  }
  if (inFull) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${bench}.json`), `${JSON.stringify(made, null, 2)}\n`)
  }
  print(made)
  if (!inFull) process.stdout.write(`  shown only: bench/reports/${bench}.json keeps what runs in full find\n`)
  return made
}

function print({ bench, node, cpu, cores, commit, figures }: Report): void {
  const lines = [`${bench}: ${cpu}, ${cores} cores, Node ${node}, commit ${commit}`]
  const width = Math.max(...figures.map(({ name }) => name.length))
  for (const { name, value, unit, goal } of figures) {
    const verdict = goal === undefined ? '' : `  goal ${goal}${meets(value, goal) ? '' : '  MISSED'}`
    lines.push(`  ${name.padEnd(width)}  ${format(value).padStart(12)} ${unit}${verdict}`)
    if (goal !== undefined && !meets(value, goal)) process.exitCode = 1
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Whether a value meets a goal such as `>= 35000`. */
export function meets(value: number, goal: string): boolean {
  const [sign, bound] = goal.split(' ')
  return sign === '<=' ? value <= Number(bound) : value >= Number(bound)
}

function format(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-GB') : value.toPrecision(3)
}

/** The short hash of what is checked out, with a word on changes beside reports and docs; `unknown` outside a repository. */
export function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    const hash = git('rev-parse', '--short', 'HEAD')
    const changed = git('status', '--porcelain', '--', '.', ':!bench/reports', ':!docs', ':!*.md')
    return changed === '' ? hash : `${hash} and changes`
  } catch {
    return 'unknown'
  }
}
