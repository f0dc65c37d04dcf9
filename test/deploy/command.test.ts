import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { run } from '../../deploy/local/program.ts'
import { services } from '../helpers/services.ts'

const { skip } = await services({ redis: true })
const folder = mkdtempSync(join(tmpdir(), 'meterveil-services-'))
const bin = resolve(import.meta.dirname, '../../pipelines/cli/bin.js')
const { KAFKA_BOOTSTRAP: _kafka, SCHEMA_REGISTRY_URL: _registry, REDIS_URL: _redis, ...bare } = process.env

const command = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, [bin, 'services', ...args], { timeoutMs: 120_000, env: { ...bare, ...env } })
const here = ['--data', folder]
after(async () => {
  await command(['down', '--wipe', ...here])
  rmSync(folder, { recursive: true })
})

describe('meterveil services', { skip }, () => {
  test('up gives addresses, status and logs show what runs, down stops it', async () => {
    const up = await command(['up', 'redis', '--json', ...here])
    assert.equal(up.code, 0, up.stderr)
    assert.match(up.stderr, /: ready in [\d.]+ s, at redis:[\s\S]*Ready in /)
    const { redis } = JSON.parse(up.stdout) as { readonly redis: string }

    const again = await command(['up', 'redis', ...here])
    assert.match(again.stderr, /runs already/)
    assert.equal(again.stdout, `export REDIS_URL=${redis}\n`)

    const status = await command(['status', '--json', ...here])
    const states = status.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { service: string; state: string; address?: string })
    assert.deepEqual(
      states.map(({ service, state }) => [service, state]),
      [
        ['kafka', 'never started'],
        ['registry', 'never started'],
        ['redis', 'ready'],
      ],
    )
    assert.equal(states[2]?.address, redis)
    assert.equal(status.code, 1)

    assert.match((await command(['logs', 'redis', ...here])).stdout, /Ready to accept connections/)
    assert.equal((await command(['down', ...here])).code, 0)
    assert.match((await command(['status', ...here])).stdout, /redis +down/)
  })

  test('an address of the environment is neither printed nor started', async () => {
    const url = 'redis://me:s3cret@127.0.0.1:1'
    const up = await command(['up', 'redis', ...here], { REDIS_URL: url })
    assert.equal(up.code, 1)
    assert.match(
      up.stderr,
      /^Error: REDIS_URL is set, but no Redis answers there\.\nStart it, correct REDIS_URL, or unset it/,
    )
    const status = await command(['status', ...here], { REDIS_URL: url })
    assert.match(status.stdout, /unreachable/)
    assert.doesNotMatch(up.stdout + up.stderr + status.stdout + status.stderr, /s3cret/)
  })

  for (const args of [
    ['up', 'mysql'],
    ['up', '--brokers', '2'],
    ['up', '--principals', 'broker'],
    ['logs', '--lines', '0'],
  ]) {
    test(`${args.join(' ')} is refused before anything is started`, async () => {
      assert.equal((await command([...args, ...here])).code, 2)
    })
  }
})
