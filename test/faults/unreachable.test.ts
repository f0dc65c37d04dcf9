import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { noProbe } from '../../pipelines/runtime/index.ts'

const root = resolve(import.meta.dirname, '../..')
const sources = ['pipelines', 'connectors', 'operators', 'schemas', 'diffprivlib-ts/src']
  .flatMap((folder) => globSync(`${folder}/**/*.{ts,js}`, { cwd: root }))
  .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n') }))

/** Lines that match, outside the files that may hold them. */
function found(pattern: RegExp, ...may: readonly RegExp[]): string[] {
  return sources
    .filter(({ path }) => !may.some((one) => one.test(path)))
    .flatMap(({ path, lines }) => lines.filter((line) => pattern.test(line)).map((line) => `${path}: ${line.trim()}`))
}

test('nothing that is shipped kills or stops a process', () => {
  assert.deepEqual(found(/SIGKILL|SIGSTOP|process\.abort|processReallyExit|\bkill\(\s*process\.pid/), [])
  // Signal 0 only asks whether a process is there.
  assert.deepEqual(found(/\.kill\((?!pid, 0\))/), [])
})

test('only the runtime passes a probe on, and only simulations and tests have one to pass', () => {
  const runtime = /^pipelines\/runtime\//
  const simulated = /^pipelines\/(?:simulation|testing)\//
  const demo = /^pipelines\/cli\/demo/
  assert.deepEqual(found(/\bprobe\b\s*[:,}?]|\bProbe\b/, runtime, simulated, demo), [])
  // `audit-run --crash` crashes a simulation over the log inside its own process, and nothing else.
  assert.deepEqual(found(/\bKilled\b/, runtime, /^pipelines\/simulation\/audit-stage\.ts$/), [])
})

test('what crashes a simulation is out of reach of whatever runs a deployment', () => {
  const audit = /^pipelines\/(?:simulation\/audit-|cli\/audit-)/
  assert.deepEqual(found(/from '[^']*simulation\/audit-stage\.ts'/, audit), [])
  const deployed = sources.filter(({ path }) => /^pipelines\/(?:cli\/(?:run|deploy)|runtime\/|[^/]+\.ts$)/.test(path))
  assert.ok(deployed.length > 30)
  for (const { path, lines } of deployed) {
    for (const line of lines) assert.doesNotMatch(line, /from '[^']*\/(?:simulation|audit-[a-z-]+)(?:\/|\.ts)/, path)
  }
})

test('a probe that nobody gave does nothing', () => {
  assert.equal(noProbe({ pipeline: 'readings', partition: 0, step: 'commit', at: 'before' }), undefined)
})

test('no word in the environment reaches the steps of a task', () => {
  assert.deepEqual(
    found(/process\.env/).filter((line) => /^pipelines\/runtime\/(?!settings)/.test(line)),
    [],
  )
})
