import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { PolicyError, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { auditPolicy } from '../simulation/audit-stage.ts'
import { type AuditWorld, differingDays, exampleWorld } from '../simulation/audit-world.ts'
import type { AuditFlags } from './audit-run.ts'
import type { AuditTask } from './audit-run-thread.ts'
import { formatWorld, readWorld, requireNeighbours } from './audit-world-file.ts'
import { CliError, usageError } from './errors.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** Does what `meterveil audit-run` was asked for. Rejects with `CliError` for worlds or flags that do not fit. */
export async function auditRun(flags: AuditFlags): Promise<void> {
  const { worlds: paths = [], writeExample } = flags
  const terminal = openTerminal()
  if (writeExample !== undefined) return writeWorlds(terminal, writeExample)
  const [first, second] = paths
  if (first === undefined || second === undefined || paths.length !== 2) {
    throw usageError('An audit compares two worlds.', 'Give --worlds two files, with a comma between them.')
  }
  const worlds = [readWorld(first), readWorld(second)] as const
  requireNeighbours(...worlds)
  const rhoPerDay = flags.rho ?? auditPolicy().rhoPerDay
  sayWhatIsClaimed(terminal, worlds, rhoPerDay)
  await runThreads({ paths, rhoPerDay, crash: flags.crash, values: flags.values }, flags)
}

function writeWorlds(terminal: Terminal, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const present of [true, false]) {
    const world = exampleWorld({ present })
    const path = join(folder, `${world.name}.json`)
    writeFileSync(path, formatWorld(world))
    terminal.line(path)
  }
}

/** What an auditor should hold the bounds against. */
function sayWhatIsClaimed(terminal: Terminal, [a, b]: readonly [AuditWorld, AuditWorld], rhoPerDay: string): void {
  const differ = differingDays(a, b)
  const what = differ.length === 1 ? '1 household-day' : `${differ.length} household-days`
  terminal.note(`${a.name} and ${b.name} differ in ${what}${differ.length === 0 ? '' : `: ${differ.join(', ')}`}.`)
  let resolved: ReturnType<typeof resolvePolicy>
  try {
    resolved = resolvePolicy(auditPolicy(rhoPerDay))
  } catch (error) {
    if (error instanceof PolicyError) throw usageError(`--rho: ${error.message}.`, 'Give a fraction such as 1/2.')
    throw error
  }
  const { epsilonDay, delta } = resolved.levels.utility.statement[1]
  const [n, d] = rhoPerDay.split('/').map(Number)
  const mu = Math.sqrt((2 * n!) / (d ?? 1))
  terminal.note(
    `Claimed for one household-day: rho ${rhoPerDay}, epsilon ${epsilonDay.toFixed(4)} at delta ${delta.toPrecision(3)}, mu ${mu.toFixed(4)}.`,
  )
}

async function runThreads(
  task: Omit<AuditTask, 'from' | 'runs' | 'step'>,
  { runs, threads }: Pick<AuditFlags, 'runs' | 'threads'>,
): Promise<void> {
  const step = Math.min(threads, runs, 4 * availableParallelism())
  await Promise.all(
    Array.from({ length: step }, async (_, from) => {
      const workerData: AuditTask = { ...task, from, runs, step }
      const worker = new Worker(new URL('./audit-run-thread.ts', import.meta.url), { workerData })
      worker.on('message', (text: string) => {
        const ready = process.stdout.write(text)
        if (ready) worker.postMessage('next')
        else process.stdout.once('drain', () => worker.postMessage('next'))
      })
      await once(worker, 'exit').catch((error: unknown) => {
        if (!(error instanceof Error && error.name === 'CrashMissed')) throw error
        throw new CliError(`--crash: ${error.message}.`, 'Name a step that every run comes to so many times.')
      })
    }),
  )
}
