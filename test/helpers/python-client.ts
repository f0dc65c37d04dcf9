import { execFile } from 'node:child_process'
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../../deploy/local/index.ts'

const run = promisify(execFile)
const version = '2.16.1'
const packages = join(cacheFolder, `confluent-kafka-${version}`)

/** False, or why this machine cannot run Confluent's client: the `skip` of tests that need it. With CI=true it throws instead. */
export async function pythonMissing(): Promise<string | false> {
  try {
    await run('python3', ['-m', 'pip', '--version'])
    return false
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    const reason = 'needs Python 3 with pip on the PATH'
    process.stderr.write(`SKIPPED: a test of Confluent's client ${reason}\n`)
    return reason
  }
}

/** Confluent's Python client with its Avro deserialiser, in a folder of its own. */
async function fetchClient(): Promise<void> {
  if (existsSync(packages)) return
  const part = `${packages}.${process.pid}`
  const quiet = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
  await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', part, `confluent-kafka[avro]==${version}`])
  try {
    renameSync(part, packages)
  } catch (error) {
    // Another test was first.
    if (!existsSync(packages)) throw error
  }
}

const deadlineMs = 120_000

/**
 * Runs a Python program with Confluent's client at hand, and answers what it prints. Rejects where it takes two minutes:
 * left alone, this client waits for ever for a registry that does not answer, and the whole run of tests with it.
 */
export async function runPython(program: string, args: readonly string[]): Promise<string> {
  await fetchClient()
  const env = { ...process.env, PYTHONPATH: packages }
  const { stdout } = await run('python3', [program, ...args], { env, timeout: deadlineMs, killSignal: 'SIGKILL' })
  return stdout
}
