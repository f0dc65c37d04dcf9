// MIGRATION.md: its program is run and prints what its comments say, and its tables name what there is.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import * as library from '../src/index.ts'
import { catalogue } from './mechanisms/catalogue.ts'

const page = readFileSync(new URL('../MIGRATION.md', import.meta.url), 'utf8')
const entry = new URL('../src/index.ts', import.meta.url).href

it('the program prints what the page says', () => {
  const program = /```ts\n([\s\S]+?)```/.exec(page)?.[1]
  assert.ok(program)
  const expected = [...program.matchAll(/^console\.log\(.+\) \/\/ (.+)$/gm)].map((match) => match[1])
  assert.ok(expected.length >= 4)
  const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-migration-'))
  try {
    const file = join(folder, 'program.mts')
    writeFileSync(file, program.replace("'diffprivlib-ts'", `'${entry}'`))
    const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trim().split('\n'), expected)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('every mechanism and every tool stands in a table', () => {
  const named = new Set([...page.matchAll(/`(\w+)`/g)].map((match) => match[1]))
  for (const name of [...Object.keys(catalogue), ...Object.keys(library.tools)])
    assert.ok(named.has(name), `${name} is not on the page`)
})
