// The program in README.md is run, and prints what its comments say.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const library = new URL('../src/index.ts', import.meta.url).href

it('the five-minute program of the README prints what the README says', () => {
  const program = /```ts\n([\s\S]+?)```/.exec(readme)?.[1]
  assert.ok(program)
  const expected = [...program.matchAll(/^ *console\.log\(.+\) \/\/ (.+)$/gm)].map((match) => match[1])
  assert.ok(expected.length >= 4)
  const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-readme-'))
  try {
    const file = join(folder, 'program.mts')
    writeFileSync(file, program.replace("'diffprivlib-ts'", `'${library}'`))
    const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
    assert.equal(stderr, '', pathToFileURL(file).href)
    assert.deepEqual(stdout.trim().split('\n'), expected)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
