// The programs of the sections on mechanisms, continual release, consistency, auditing and accounting are run, and print what their comments say.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const source = (path: string): string => new URL(`../src/${path}`, import.meta.url).href

for (const title of ['Mechanisms', 'Continual release', 'Consistency', 'Auditing', 'Accounting'])
  it(`the program of "${title}" in the README prints what the README says`, () => {
    const section = readme.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
    const program = /```ts\n([\s\S]+?)```/.exec(section)?.[1]
    assert.ok(program, 'the section has a program')
    const expected = [...program.matchAll(/^ *console\.log\(.+\) \/\/ (.+)$/gm)].map((match) => match[1])
    assert.ok(expected.length >= 2)
    const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-readme-'))
    try {
      const file = join(folder, 'program.mts')
      const imports = program
        .replaceAll("'diffprivlib-ts'", `'${source('index.ts')}'`)
        .replaceAll("'diffprivlib-ts/audit'", `'${source('audit/index.ts')}'`)
      writeFileSync(file, imports)
      const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
      assert.equal(stderr, '')
      assert.deepEqual(stdout.trim().split('\n'), expected)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
