import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { accumulatingLowering, lowering } from '../../operators/contract/operator.ts'
import { boundContributions } from '../../operators/privacy/bound-contributions.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import { topic } from '../../schemas/codec.ts'
import { entryFiles, namesOf, valuesOf } from './exported.ts'

const root = resolve(import.meta.dirname, '../..')
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
  const imports = Object.keys(entryFiles).map((entry) => `await import('meterveil${entry.slice(1)}')`)
  assert.equal(userScript(imports.join('\n')).stderr, '')
})

test('nothing else of the package can be reached', () => {
  const { stderr } = userScript(`await import('meterveil/operators/contract/operator.ts')`)
  assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
})

describe('what the package exports', () => {
  const file = join(import.meta.dirname, 'exported.txt')

  test('is what the list says, entry by entry', async () => {
    const sections = await Promise.all(
      Object.entries(entryFiles).map(async ([entry, path]) =>
        (await namesOf(path)).map((name) => `meterveil${entry.slice(1)}: ${name}`),
      ),
    )
    const found = sections.flat()
    if (process.env['UPDATE_EXPORTS'] === '1') writeFileSync(file, `${found.join('\n')}\n`)
    const listed = readFileSync(file, 'utf8').trim().split('\n')
    const differs = {
      added: found.filter((name) => !listed.includes(name)),
      gone: listed.filter((name) => !found.includes(name)),
    }
    const says = `the exports differ from test/package/exported.txt: ${JSON.stringify(differs, undefined, 2)}
Where this is meant: UPDATE_EXPORTS=1 npm test -- package/exports`
    assert.ok(differs.added.length + differs.gone.length === 0, says)
  })

  /** What makes a label, a topic, a bounded value or noise: whoever had it could lift a label past the compiler. */
  const kept: Readonly<Record<string, unknown>> = { lowering, accumulatingLowering, topic, secureNoise }

  const leaks = (values: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.keys(kept).filter((name) => name in values || Object.values(values).includes(kept[name]))

  for (const [entry, path] of Object.entries(entryFiles)) {
    test(`meterveil${entry.slice(1)} gives away no maker of labels, topics or noise`, async () => {
      assert.deepEqual(leaks(await valuesOf(path)), [])
    })
  }

  test('a maker that is given away under another name is found', () => {
    assert.deepEqual(leaks({ boundContributions, harmless: topic }), ['topic'])
  })
})
