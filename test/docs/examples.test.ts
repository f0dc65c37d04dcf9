// The programs that pages show, run as a reader would.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { bin, meterveil, start } from '../pipelines/cli/command.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'meterveil-examples-'))
after(() => rmSync(folder, { recursive: true }))

/** Writes the program that a page shows under a name; what it takes from the repository is named by its place. */
function program(page: string, name: string): string {
  const text = readFileSync(join(root, page), 'utf8')
  const [, code = ''] =
    new RegExp(`<!-- example: ${name.replace('.', '\\.')} -->\\n\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(text) ?? []
  assert.ok(code, `${page} shows no ${name}`)
  const placed = code.replaceAll(/from '(\.[^']+|diffprivlib-ts[^']*)'/g, (_, from: string) => {
    const to = from.startsWith('.') ? pathToFileURL(join(root, from)).href : import.meta.resolve(from)
    return `from '${to}'`
  })
  writeFileSync(join(folder, name), placed)
  return join(folder, name)
}

function run(file: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

test('the example of the page for operators leads to a ledger that holds', async () => {
  const example = join(folder, 'example')
  assert.match(meterveil(['example', example, '--homes', '60']).stdout, /60 homes, [1-9][\d,]* frames/)
  const again = meterveil(['example', example])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /is there already, and may hold keys\./)
  const env = {
    METERVEIL_KEYRING_FOLDER: join(example, 'keys'),
    METERVEIL_REGISTER_FILE: join(example, 'register.jsonl'),
    METERVEIL_DATA_FOLDER: join(example, 'data'),
  }
  const running = start(['run', '--input', join(example, 'frames.ndjson')], env, bin)
  await running.shows('all processed')
  const data = ['--data-folder', join(example, 'data')]
  let shown = meterveil(['ledger', 'show', ...data])
  for (let n = 0; n < 50 && !shown.stdout.includes('interval_sums'); n++) {
    await sleep(1_000)
    shown = meterveil(['ledger', 'show', ...data])
  }
  assert.match(shown.stdout, /utility +interval_sums/)
  running.process.kill('SIGINT')
  assert.equal((await running.ended).code, 130)
  const { code, stdout } = meterveil(['ledger', 'verify', ...data])
  assert.equal(code, 0)
  assert.match(stdout, /The ledger holds\./)
})

test('the auditor reads what audit-run prints, as the page for auditors shows', () => {
  const worlds = join(folder, 'worlds')
  mkdirSync(worlds)
  assert.equal(meterveil(['audit-run', '--write-example', worlds]).code, 0)
  const both = `${join(worlds, 'with.json')},${join(worlds, 'without.json')}`
  const { code, stdout } = meterveil(['audit-run', '--worlds', both, '--runs', '100', '--values', 'raw'])
  assert.equal(code, 0)
  const kept = stdout.split('\n').filter((line) => line.includes('"id":"utility/utility-1/import/'))
  assert.ok(kept.length > 200)
  writeFileSync(join(folder, 'lines.jsonl'), kept.join('\n'))
  assert.match(run(program('docs/auditor.md', 'audit-lines.ts')), /^mu >= .+\nepsilon >= .+\nrho >= .+\n$/)
})
