import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { pythonMissing, runPython } from '../helpers/python-client.ts'
import { ownServices } from '../helpers/services.ts'

const run = promisify(execFile)
const skip = await pythonMissing()
const own = await ownServices({ kafka: true, registry: true, redis: true })
const out = mkdtempSync(join(tmpdir(), 'meterveil-client-'))
after(async () => {
  await own.stop()
  rmSync(out, { recursive: true })
})

/** The program as docs/analyst.md shows it. */
function documented(): string {
  const page = readFileSync(new URL('../../docs/analyst.md', import.meta.url), 'utf8')
  const found = /<!-- example: read-load-public\.py -->\n```python\n([\s\S]*?)```/.exec(page)
  return found![1]!
}

describe('a client that is not ours', { skip: skip || own.skip }, () => {
  test('reads in load.public what the demo on real services released', async () => {
    const env = {
      ...process.env,
      KAFKA_BOOTSTRAP: own.address('kafka'),
      SCHEMA_REGISTRY_URL: own.address('registry'),
      REDIS_URL: own.address('redis'),
    }
    const bin = new URL('../../pipelines/cli/bin.js', import.meta.url).pathname
    const demo = await run(process.execPath, [bin, 'demo', '--kafka', '--out', out], { env })
    assert.match(demo.stdout, /every interval is there exactly once/)

    const program = join(out, 'read.py')
    writeFileSync(program, documented())
    const stdout = await runPython(program, [own.address('kafka'), own.address('registry')])
    const written = readFileSync(join(out, 'load.public.ndjson'), 'utf8').trim().split('\n')
    const expected = written.map((line) => {
      const { level, group, window, phase, rawWh } = JSON.parse(line) as LoadPublic
      const time = new Date(window).toISOString().replace('T', ' ').replace('.000Z', '+00:00')
      return [level, group, time, phase, rawWh ?? 'None'].join('\t')
    })
    assert.ok(
      expected.some((line) => !line.endsWith('None')),
      'something was released',
    )
    assert.deepEqual(stdout.trim().split('\n').sort(), expected.sort())
  })
})
