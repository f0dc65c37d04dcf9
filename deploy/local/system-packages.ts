import { ServicesError } from './errors.ts'
import type { FetchContext } from './fetch.ts'
import { withLock } from './lock.ts'
import { run, tail, which } from './program.ts'

/** A program that a service or its download needs, and where Debian has it. */
export interface NeededProgram {
  readonly name: string
  readonly title: string
  readonly find: () => string | undefined
  readonly debian: readonly string[]
}

/**
 * The path of a program. If it is missing, root on Debian or a relative of it installs it; anybody else is told.
 *
 * @throws ServicesError `missing_program`
 */
export async function requireProgram(program: NeededProgram, context: FetchContext): Promise<string> {
  const present = program.find()
  if (present !== undefined) return present
  if (canInstall()) {
    await withLock(`${context.cache}/apt.lock`, 600_000, async () => {
      if (program.find() === undefined) await install(program, context)
    })
    const installed = program.find()
    if (installed !== undefined) return installed
  }
  throw missing([program])
}

/** One sentence that names what is missing and how Debian would get it. */
export function missing(programs: readonly Pick<NeededProgram, 'title' | 'debian'>[]): ServicesError {
  const titles = programs.map(({ title }) => title).join(' and ')
  return new ServicesError(
    'missing_program',
    `${titles} cannot be found on the PATH.`,
    `Install it (Debian: apt-get install ${programs.flatMap(({ debian }) => debian).join(' ')}), or name running services in KAFKA_BOOTSTRAP, SCHEMA_REGISTRY_URL and REDIS_URL.`,
  )
}

/** Whether missing programs can be installed here without asking anybody: by root, on a system with apt. */
export const canInstall = (): boolean => process.getuid?.() === 0 && which('apt-get') !== undefined

async function install(program: NeededProgram, { report, cache }: FetchContext): Promise<void> {
  const packages = program.debian.join(' ')
  report(program.title, `not on the PATH: installing ${packages} with apt-get`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...program.debian],
  ]) {
    const { code, stdout, stderr } = await run('apt-get', args, { timeoutMs: 600_000, cwd: cache, env })
    if (code === 0) continue
    throw new ServicesError(
      'missing_program',
      `${program.title} is missing, and apt-get ${args[0]} failed:\n${tail(stdout + stderr)}`,
      `Install ${packages}, then try again.`,
    )
  }
}
