// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the planted files are text
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { importsOf } from './boundaries/imports.ts'
import { packages } from './boundaries/layers.ts'
import { tokens } from './boundaries/lexer.ts'
import { checkBoundaries, longestFile, type SourceFile } from './boundaries/rules.ts'

const root = resolve(import.meta.dirname, '..')
const folders = '{schemas,operators,connectors,pipelines,bench,deploy,test,diffprivlib-ts}'

const tree = (): readonly SourceFile[] =>
  globSync(`${folders}/**/*.ts`, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !/(?:^|\/)(?:node_modules|dist)\//.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

test('every file of the repository keeps the import rules', () => {
  const files = tree()
  assert.ok(files.length > 30, `found only ${files.length} files`)
  const found = checkBoundaries(files, (path) => existsSync(join(root, path)))
  const listed = found.map(({ path, line, rule, says }) => `${path}:${line} ${rule}: ${says}`)
  assert.deepEqual(listed, [])
})

test('every package the project depends on has its place', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => !(name in packages)),
    [],
  )
})

/** Each row is a file that breaks one rule; a checker that does not find it is broken itself. */
const planted: readonly { readonly rule: string; readonly path: string; readonly text: string }[] = [
  { rule: 'layers', path: 'schemas/a.ts', text: `import type { Reason } from '../operators/contract/reasons.ts'` },
  { rule: 'layers', path: 'operators/contract/a.ts', text: `import { dedupe } from '../dedupe.ts'` },
  { rule: 'layers', path: 'operators/contract/a.ts', text: `import type { Log } from '../../connectors/contract.ts'` },
  { rule: 'layers', path: 'operators/dedupe.ts', text: `import { validate } from './validate.ts'` },
  { rule: 'layers', path: 'operators/dedupe/a.ts', text: `export { x } from '../validate/b.ts'` },
  { rule: 'layers', path: 'operators/dedupe.ts', text: `const log = await import('../connectors/memory/log.ts')` },
  { rule: 'layers', path: 'operators/dedupe.ts', text: `import type { Node } from '../pipelines/runtime/stream.ts'` },
  { rule: 'layers', path: 'operators/window/a.ts', text: `import { dedupe } from '../dedupe.ts'` },
  { rule: 'layers', path: 'operators/forecast/a.ts', text: `import { ledger } from '../privacy/ledger.ts'` },
  { rule: 'layers', path: 'connectors/contract.ts', text: `import { memoryLog } from './memory/index.ts'` },
  { rule: 'layers', path: 'connectors/kafka/a.ts', text: `import { memoryLog } from '../memory/index.ts'` },
  {
    rule: 'layers',
    path: 'connectors/kafka/a.ts',
    text: `import type { Observer } from '../../pipelines/runtime/a.ts'`,
  },
  { rule: 'layers', path: 'connectors/kafka/a.ts', text: `import { dedupe } from '../../operators/dedupe.ts'` },
  { rule: 'layers', path: 'pipelines/runtime/run.ts', text: `import { log } from '../../connectors/memory/index.ts'` },
  { rule: 'layers', path: 'pipelines/runtime/run.ts', text: `import { dedupe } from '../../operators/dedupe.ts'` },
  { rule: 'layers', path: 'pipelines/testing/driver.ts', text: `import { x } from '../../bench/fleet/index.ts'` },
  { rule: 'layers', path: 'pipelines/readings.ts', text: `import { fleet } from '../bench/fleet/index.ts'` },
  { rule: 'layers', path: 'pipelines/cli/run.ts', text: `import { fleet } from '../../bench/fleet/index.ts'` },
  { rule: 'layers', path: 'pipelines/cli/run.ts', text: `import { start } from '../../deploy/local/index.ts'` },
  { rule: 'layers', path: 'deploy/local/a.ts', text: `import { x } from '../../connectors/contract.ts'` },
  { rule: 'layers', path: 'bench/run.ts', text: `import { x } from '../elsewhere/x.ts'` },
  { rule: 'layers', path: 'pipelines/cli/demo.ts', text: `import { x } from '../../test/helpers/x.ts'` },
  { rule: 'layers', path: 'diffprivlib-ts/src/a.ts', text: `import type { EpochMs } from '../../schemas/codec.ts'` },
  { rule: 'layers', path: 'elsewhere/a.ts', text: `import { x } from '../schemas/codec.ts'` },
  { rule: 'imports resolve', path: 'operators/a.ts', text: `import { x } from './nowhere.ts'` },
  { rule: 'imports resolve', path: 'operators/a.ts', text: `import { x } from './b'` },
  { rule: 'imports are fixed text', path: 'operators/a.ts', text: `await import(name)` },
  { rule: 'imports are fixed text', path: 'operators/a.ts', text: "await import(`../connectors/${'x'}.ts`)" },
  { rule: 'packages have their place', path: 'schemas/a.ts', text: `import avro from 'avsc'` },
  { rule: 'packages have their place', path: 'operators/a.ts', text: `import { z } from 'zod/v4'` },
  { rule: 'packages have their place', path: 'pipelines/load.ts', text: `import { Command } from 'commander'` },
  { rule: 'packages have their place', path: 'connectors/http/a.ts', text: `import { Registry } from 'prom-client'` },
  { rule: 'packages have their place', path: 'pipelines/runtime/a.ts', text: `import { Kafka } from 'kafkajs'` },
  { rule: 'packages have their place', path: 'operators/dedupe.ts', text: `import { x } from 'diffprivlib-ts'` },
  {
    rule: 'packages have their place',
    path: 'operators/window/a.ts',
    text: `import { x } from 'diffprivlib-ts/testing'`,
  },
  { rule: 'packages have their place', path: 'bench/a.ts', text: `import fc from 'fast-check'` },
  { rule: 'packages have their place', path: 'test/a.test.ts', text: `import { x } from '@left/pad'` },
  { rule: 'packages have their place', path: 'operators/a.ts', text: `import x = require('avsc')` },
  { rule: 'packages have their place', path: 'operators/a.ts', text: `import '#entropy'` },
  { rule: 'no I/O in pure code', path: 'operators/a.ts', text: `import { readFileSync } from 'node:fs'` },
  { rule: 'no I/O in pure code', path: 'schemas/a.ts', text: `import { createHash } from 'node:crypto'` },
  { rule: 'no I/O in pure code', path: 'diffprivlib-ts/src/a.ts', text: `import { randomBytes } from 'node:crypto'` },
  {
    rule: 'only privacy operators lower a label',
    path: 'operators/dedupe.ts',
    text: `import { lowering } from './contract/operator.ts'`,
  },
  {
    rule: 'only privacy operators lower a label',
    path: 'pipelines/load.ts',
    text: `import { type Operator, accumulatingLowering as plain } from '../operators/contract/operator.ts'`,
  },
  {
    rule: 'only privacy operators lower a label',
    path: 'pipelines/load.ts',
    text: `import * as contract from '../operators/contract/operator.ts'`,
  },
  {
    rule: 'only privacy operators lower a label',
    path: 'operators/contract/index.ts',
    text: `export { lowering as harmless } from './operator.ts'`,
  },
  {
    rule: 'only privacy operators lower a label',
    path: 'operators/privacy/index.ts',
    text: `export { lowering } from '../contract/operator.ts'`,
  },
  {
    rule: 'topics are born in one file',
    path: 'pipelines/load.ts',
    text: `import { topic } from '../schemas/codec.ts'`,
  },
  { rule: 'topics are born in one file', path: 'schemas/index.ts', text: `export * from './codec.ts'` },
  { rule: 'one door for randomness', path: 'operators/a.ts', text: `import { randomBytes } from 'node:crypto'` },
  {
    rule: 'one door for randomness',
    path: 'operators/a.ts',
    text: `const b = crypto.getRandomValues(new Uint8Array(8))`,
  },
  {
    rule: 'one door for randomness',
    path: 'operators/privacy/a.ts',
    text: `const id = globalThis.crypto.randomUUID()`,
  },
  { rule: 'one door for randomness', path: 'operators/a.ts', text: `import * as crypto from 'node:crypto'` },
  { rule: 'one door for randomness', path: 'pipelines/load.ts', text: `import crypto from 'node:crypto'` },
  { rule: 'no Math.random', path: 'bench/fleet/a.ts', text: `const x = Math.random()` },
  { rule: 'no Math.random', path: 'test/a.test.ts', text: `const x = globalThis.Math\n  .random()` },
  { rule: 'no Math.random', path: 'operators/a.ts', text: `const x = Math['random']()` },
  { rule: 'no Math.random', path: 'operators/a.ts', text: `const { random } = Math` },
  { rule: 'no Math.random', path: 'operators/a.ts', text: `const m = Math; m.random()` },
  { rule: 'one clock', path: 'operators/a.ts', text: `const now = Date.now()` },
  { rule: 'one clock', path: 'pipelines/runtime/run.ts', text: `const now = new Date()` },
  { rule: 'one clock', path: 'operators/a.ts', text: `const now = Temporal.Now.instant()` },
  { rule: 'one clock', path: 'operators/a.ts', text: `setTimeout(retry, 100)` },
  { rule: 'one clock', path: 'operators/a.ts', text: `const start = performance.now()` },
  { rule: 'no console', path: 'pipelines/runtime/run.ts', text: `console.log('x')` },
  { rule: 'labels are not cast', path: 'pipelines/load.ts', text: `const open = held as Stream<Reading, 'released'>` },
  {
    rule: 'labels are not cast',
    path: 'operators/a.ts',
    text: `export const step = plain as unknown as Lowering<A, B, C, D>`,
  },
  { rule: 'labels are not cast', path: 'pipelines/load.ts', text: `held.to(topic as never)` },
  { rule: 'bounded values are not cast', path: 'operators/privacy/a.ts', text: `const wh = (a * 2) as BoundedWh` },
  { rule: 'no default export', path: 'operators/a.ts', text: `export default function () {}` },
  { rule: 'labels are not cast', path: 'pipelines/load.ts', text: `held.to(topic as AnyTopic)` },
  { rule: 'one barrel a folder', path: 'operators/a.ts', text: `export * from './b.ts'` },
  { rule: 'short files', path: 'operators/a.ts', text: 'const x = 1\n'.repeat(longestFile + 1) },
  { rule: 'the compiler is not silenced', path: 'test/a.test.ts', text: `// ${'@'}ts-expect-error: wrong on purpose` },
]

describe('finds what is planted', () => {
  for (const { rule, path, text } of planted) {
    test(`${rule}: ${path} with ${text.slice(0, 70).replaceAll('\n', ' ')}`, () => {
      const found = checkBoundaries([{ path, text }], (to) => !to.includes('nowhere') && to.endsWith('.ts'))
      assert.ok(
        found.some((one) => one.rule === rule),
        `found ${JSON.stringify(found)}`,
      )
    })
  }

  test('every rule has a planted violation, and every planted violation a rule', () => {
    const named = new Set(planted.map(({ rule }) => rule))
    const source = readFileSync(join(root, 'test/boundaries/rules.ts'), 'utf8')
    const table = readFileSync(join(root, 'test/boundaries/layers.ts'), 'utf8')
    const known = [
      ...source.matchAll(/(?:violation|found)\('([^']+)'/g),
      ...source.matchAll(/const rule = '([^']+)'/g),
      ...table.matchAll(/rule: '([^']+)'/g),
    ].map(([, rule]) => rule as string)
    assert.deepEqual([...new Set(known)].sort(), [...named].sort())
  })
})

describe('passes what is right', () => {
  const fine: readonly SourceFile[] = [
    { path: 'operators/dedupe.ts', text: `import { local } from './window/local-day.ts'` },
    {
      path: 'operators/dedupe/a.ts',
      text: `import { b } from './wire/b.ts'\nimport { createHmac } from 'node:crypto'`,
    },
    { path: 'operators/privacy/a.ts', text: `import { lowering } from '../contract/operator.ts'` },
    {
      path: 'operators/a.ts',
      text: `// Math.random() and Date.now() are forbidden\nconst say = 'Math.random() console.log'`,
    },
    { path: 'operators/a.ts', text: 'const say = `${a ? `Math.random()` : "}"} Date.now()`' },
    { path: 'operators/a.ts', text: `const say = /['"]Date.now\\(\\)[/]/.test(x) ? 1 / 2 : 3 / 4` },
    { path: 'operators/a.ts', text: `const at = new Date(ms); const big = Math.max(1, 2)` },
    { path: 'operators/a.ts', text: `export const word = { default: 1, import: 'x', from: 'node:fs' }` },
    { path: 'pipelines/runtime/settings.ts', text: `import { z } from 'zod'` },
    { path: 'pipelines/cli/demo.ts', text: `import { fleet } from '../../bench/fleet/index.ts'` },
    { path: 'connectors/prometheus/a.ts', text: `import { Registry } from 'prom-client'` },
  ]
  for (const file of fine) {
    test(`${file.path} with ${file.text.slice(0, 70).replaceAll('\n', ' ')}`, () => {
      assert.deepEqual(
        checkBoundaries([file], () => true),
        [],
      )
    })
  }
})

describe('reads imports', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, readonly string[], string])[]])[] = [
    [`import a, { b as c, type D } from './x.ts'`, [['./x.ts', ['default', 'b', 'D'], 'import']]],
    [`import type { A } from './x.ts'`, [['./x.ts', ['A'], 'type']]],
    [`import type A from './x.ts'`, [['./x.ts', ['default'], 'type']]],
    [`import type, { type } from './x.ts'`, [['./x.ts', ['default', 'type'], 'import']]],
    [`import * as all from './x.ts'`, [['./x.ts', ['*'], 'import']]],
    [`import './x.ts'`, [['./x.ts', [], 'import']]],
    [`export * from './x.ts'`, [['./x.ts', ['*'], 'export']]],
    [`export * as x from './x.ts'`, [['./x.ts', ['*'], 'export']]],
    [`export type { A } from './x.ts'`, [['./x.ts', ['A'], 'type']]],
    [`const a = 1; export { a }; export const from = './x.ts'`, []],
    [`import(/* why */ './x.ts')`, [['./x.ts', ['*'], 'dynamic']]],
    [`let a: import('./x.ts').A`, [['./x.ts', ['*'], 'type']]],
    [`import data from './x.json' with { type: 'json' }`, [['./x.json', ['default'], 'import']]],
    [`const url = import.meta.url`, []],
    ["`${await import('./x.ts')}`", [['./x.ts', ['*'], 'dynamic']]],
    [`// import './x.ts'`, []],
    [`/* import './y.ts' */ "import './z.ts'"`, []],
  ]
  for (const [text, expected] of cases) {
    test(text, () => {
      assert.deepEqual(
        importsOf(tokens(text)).map(({ from, names, kind }) => [from, names, kind]),
        expected,
      )
    })
  }
})
