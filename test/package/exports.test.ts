import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string>>
}
const folder = mkdtempSync(join(tmpdir(), 'meterveil-user-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'node_modules'))
symlinkSync(root, join(folder, 'node_modules/meterveil'), 'dir')

/** Runs a script of a project that has linked the package. */
function userScript(text: string) {
  const file = join(folder, 'script.ts')
  writeFileSync(file, text)
  return spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
}

test('a project that links the package runs a pipeline of its own, and reads what came out', () => {
  const { stdout, stderr, status } = userScript(`
    import { days, type Operator } from 'meterveil'
    import { memoryLog } from 'meterveil/connectors/memory'
    import { pipeline } from 'meterveil/pipelines'
    import { type LoadPublic, type Topic, topics } from 'meterveil/schemas'
    import { testDriver } from 'meterveil/testing'
    const copy: Operator<LoadPublic, LoadPublic> = {
      spec: { name: 'copy', drops: [], rejects: [] },
      process: (batch, out) => batch.forEach((record) => out.emit(record, record.value)),
    }
    const copies: Topic<LoadPublic, 'released'> = { ...topics.loadPublic, name: 'copies' }
    const driver = await testDriver([pipeline('copy', topics.loadPublic, (load) => load.through(copy).to(copies))])
    await driver.advance(days(1))
    console.log((await driver.read(copies)).length, typeof memoryLog)
    await driver.stop()
  `)
  assert.equal(stderr, '')
  assert.equal(stdout, '0 function\n')
  assert.equal(status, 0)
})

test('every entry of the package is a file that loads', () => {
  const names = Object.keys(exports).filter((entry) => !entry.endsWith('.json'))
  const imports = names.map((entry) => `await import('meterveil${entry.slice(1)}')`)
  assert.equal(userScript(imports.join('\n')).stderr, '')
})

test('nothing else of the package can be reached', () => {
  const { stderr } = userScript(`await import('meterveil/operators/contract/operator.ts')`)
  assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
})
