import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

/** The name of each suite of planted-ports.ts, and whether it passed. */
async function verdicts(): Promise<Map<string, boolean>> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(
    process.execPath,
    ['--test', '--test-reporter=tap', join(import.meta.dirname, 'planted-ports.ts')],
    { env: { ...env, MV_PATIENCE_MS: '3000' }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const suites = (await text(child.stdout)).matchAll(
    /^ {4}(not )?ok \d+ - (.+ is a (?:log|state view|schema registry))/gm,
  )
  return new Map([...suites].map(([, failed, name]) => [String(name), failed === undefined]))
}

test('the suites fail every port with a planted fault, and pass those without one', async () => {
  const found = await verdicts()
  assert.ok(found.size > 25, `${found.size} suites ran`)
  const passed = [...found].filter(([, each]) => each).map(([name]) => name)
  assert.deepEqual(passed.sort(), [
    'a log without a fault is a log',
    'a registry without a fault is a schema registry',
    'a view without a fault is a state view',
  ])
})
