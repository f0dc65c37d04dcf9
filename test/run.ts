/**
 * `npm test`: runs every test of the repository with node's own test runner.
 *
 *   npm test                            everything
 *   npm test -- decode hdlc             files whose path contains one of the words
 *   npm test -- --test-name-pattern=x   flags of node's test runner are passed on
 *   npm run faults                      the long fault tests instead, `*.fault.ts`: real brokers are killed under load
 *
 * A skipped test is named at the end with its reason. With CI=true a skip fails the run, unless the test needs data
 * outside the repository and none was given (METERVEIL_LOAD_DATA).
 */
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { requireNode24 } from '../pipelines/cli/require-node.js'
import { stopRun } from './helpers/services.ts'
import { type NotRun, parseNotRun, verdictOnNotRun } from './not-run.ts'

requireNode24()

const root = resolve(import.meta.dirname, '..')
const faults = process.argv.includes('--faults')
const kinds = faults ? 'fault.ts' : '{test,property,stat}.ts'
const folders = ['test', 'diffprivlib-ts/test', 'diffprivlib-ts/examples']
const outside = /(^|\/)(node_modules|fixtures|refused)\//

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--') && argument !== '--faults')
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))

const files = folders
  .flatMap((folder) => globSync(`${folder}/**/*.${kinds}`, { cwd: root }))
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !outside.test(file))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort()

if (files.length === 0) {
  process.stderr.write(`No test file has ${words.join(' or ')} in its path. List them with: git ls-files test\n`)
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'meterveil-test-'))
const notRunFile = join(scratch, 'not-run.ndjson')
const runner = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${Math.max(1, Math.min(8, availableParallelism()))}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(root, 'test/not-run-reporter.ts')}`,
    `--test-reporter-destination=${notRunFile}`,
    ...flags,
    ...files,
  ],
  // Test files that need services start them for the whole run, which this process ends.
  { cwd: root, stdio: 'inherit', env: { ...process.env, METERVEIL_TEST_RUN: String(process.pid) } },
)
// The runner gets the terminal's Ctrl-C itself and settles its tests; this process only waits for it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))

runner.on('close', async (code, signal) => {
  await stopRun()
  const notRun: readonly NotRun[] = existsSync(notRunFile) ? parseNotRun(readFileSync(notRunFile, 'utf8')) : []
  rmSync(scratch, { recursive: true, force: true })
  const { lines, failed } = verdictOnNotRun(notRun, {
    ci: process.env['CI'] === 'true',
    dataGiven: process.env['METERVEIL_LOAD_DATA'] !== undefined,
  })
  for (const line of lines) process.stdout.write(`${line}\n`)
  process.exitCode = signal ? 1 : code || (failed ? 1 : 0)
})
