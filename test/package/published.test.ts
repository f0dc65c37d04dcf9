// The published form of diffprivlib-ts as somebody gets it who has no TypeScript sources: packed, installed without a network into an empty
// folder, run by plain Node, and compiled against.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { buildPublished, compiler, entries, npm, scratchFolder, sources } from './published-form.ts'

const scratch = scratchFolder()
const [built, user, cache] = ['built', 'user', 'cache'].map((name) => join(scratch, name)) as [string, string, string]
const installed = join(user, 'node_modules/diffprivlib-ts')
let files: readonly string[] = []

before(() => {
  buildPublished(built)
  mkdirSync(user)
  writeFileSync(join(user, 'package.json'), '{ "type": "module" }\n')
  const [packed] = JSON.parse(
    npm(['pack', built, '--json', '--pack-destination', scratch], scratch, cache),
  ) as readonly [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }]
  files = packed.files.map(({ path }) => path)
  npm(['install', join(scratch, packed.filename)], user, cache)
})

const read = (file: string): string => readFileSync(join(installed, file), 'utf8')

/** Runs a program of the user by a Node, and gives what it printed. */
const run = (program: string, node: string = process.execPath): string => {
  writeFileSync(join(user, 'program.js'), program)
  const { stdout, stderr, status } = spawnSync(node, ['program.js'], { cwd: user, encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout
}

/** The other Nodes of this machine that the package claims to run on. */
const otherNodes = (): readonly string[] =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => globSync(join(folder, 'node')))
    .filter((node) => {
      const major = Number(/^v(\d+)/.exec(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout)?.[1])
      return major >= 20
    })

describe('the packed files', () => {
  it('are the compiled sources with their declarations, the pages and the licence, and nothing else', () => {
    const compiled = globSync('**/*.ts', { cwd: join(sources, 'src') }).flatMap((file) => {
      const name = file.replaceAll('\\', '/').replace(/\.ts$/, '')
      return [`${name}.js`, `${name}.d.ts`]
    })
    const pages = globSync('*.md', { cwd: sources })
    assert.ok(pages.includes('README.md'))
    assert.deepEqual([...files].sort(), [...compiled, ...pages, 'LICENSE', 'package.json'].sort())
    assert.ok(compiled.length > 100)
  })

  it('name no folder of the machine that built them, and no source map', () => {
    for (const file of files) {
      const text = read(file)
      for (const folder of [scratch, sources, process.cwd()])
        assert.ok(!text.includes(folder), `${file} names ${folder}`)
      assert.doesNotMatch(text, /sourceMappingURL/, file)
    }
  })

  it('declare no dependency, no script, and every entry that the sources have', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, unknown> | undefined>
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies', 'scripts', 'private'])
      assert.equal(manifest[kind], undefined, kind)
    assert.deepEqual(
      Object.keys(manifest['exports'] ?? {}).sort(),
      [...Object.keys(entries()), './package.json'].sort(),
    )
    const named = JSON.stringify([manifest['exports'], manifest['imports']]).matchAll(/"\.\/([^"]+\.(?:js|ts))"/g)
    for (const [, file] of named) assert.ok(files.includes(file!), `package.json names ${file}`)
  })

  it('hold the licence of the repository', () => {
    assert.equal(read('LICENSE'), readFileSync(join(sources, '../LICENSE'), 'utf8'))
  })

  it('cannot be the sources: npm pack refuses those with a sentence', () => {
    assert.throws(() => npm(['pack', '--dry-run'], sources, cache), /These are the sources/)
  })
})

describe('the installed package', () => {
  it('exports by plain Node what the sources export', async () => {
    for (const [entry, file] of Object.entries(entries())) {
      const printed = run(`console.log(JSON.stringify(Object.keys(await import('diffprivlib-ts${entry.slice(1)}'))))`)
      const exported = Object.keys((await import(join(sources, file))) as object)
      assert.deepEqual(JSON.parse(printed), exported, entry)
      assert.ok(exported.length > 0)
    }
  })

  it('draws, charges a durable ledger and audits, also by older Nodes on the PATH', () => {
    const program = `
      import { mkdtempSync, rmSync } from 'node:fs'
      import { tmpdir } from 'node:os'
      import { join } from 'node:path'
      import { countOnce, discreteGaussianMechanism, discreteLaplace, rational } from 'diffprivlib-ts'
      import { clopperPearsonUpper } from 'diffprivlib-ts/audit'
      import { createLedgerFile, verifyLedgerFile } from 'diffprivlib-ts/ledger-file'
      import { seededBits, seededLaplace } from 'diffprivlib-ts/testing'
      const { l2 } = countOnce({ neighbours: 'add-remove' })
      const mechanism = discreteGaussianMechanism({ neighbours: 'add-remove', sensitivity: l2, rho: rational.decimal('0.5') })
      const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-user-'))
      createLedgerFile(join(folder, 'ledger')).close()
      const found = [
        typeof mechanism.release(1n),
        discreteLaplace(rational.decimal('1e12')).next() < 10n ** 15n,
        clopperPearsonUpper(0, 100, 0.05) < 0.1,
        verifyLedgerFile(join(folder, 'ledger')).charges,
        seededLaplace(rational.integer(1000), seededBits(7)).nextNumber(),
      ]
      rmSync(folder, { recursive: true })
      console.log(found.join(' '))
    `
    const expected = run(program)
    assert.match(expected, /^bigint true true 0 -?\d+\n$/)
    for (const node of otherNodes()) assert.equal(run(program, node), expected, node)
  })

  it('shows nothing but its entries', () => {
    const program = `
      for (const path of ['random/pool.js', 'src/index.ts', 'index.js'])
        await import('diffprivlib-ts/' + path).then(() => console.log(path), (error) => console.log(error.code))
    `
    assert.equal(run(program), 'ERR_PACKAGE_PATH_NOT_EXPORTED\n'.repeat(3))
  })
})

describe('the installed types', () => {
  const consumer = `
    import { type Account, clippedVectorSum, discreteGaussianMechanism, mechanisms, openAccount, rational, tools } from 'diffprivlib-ts'
    import { type AuditReport, auditOutputs } from 'diffprivlib-ts/audit'
    import { type LedgerFile, openLedgerFile } from 'diffprivlib-ts/ledger-file'
    import { seededBits } from 'diffprivlib-ts/testing'
    const bound = clippedVectorSum({ neighbours: 'add-remove', radius: rational.integer(10), signs: 'non-negative' })
    const mechanism = discreteGaussianMechanism({ neighbours: 'add-remove', sensitivity: bound.l2, rho: rational.one })
    export const released: readonly bigint[] = mechanism.releaseAll([1n, 2n])
    export const account: Account = openAccount(rational.one)
    export const report = (a: readonly number[]): AuditReport => auditOutputs(a, a)
    export const ledger = (path: string): LedgerFile => openLedgerFile(path)
    export const others = [tools.count, mechanisms.geometric, seededBits(1).word()]
  `
  const misuse = `
    import { countOnce, discreteGaussianMechanism, rational } from 'diffprivlib-ts'
    import { seededBits } from 'diffprivlib-ts/testing'
    import { discreteLaplace } from 'diffprivlib-ts'
    const { l2 } = countOnce({ neighbours: 'replace-one' })
    discreteGaussianMechanism({ neighbours: 'add-remove', sensitivity: l2, rho: rational.one })
    discreteLaplace(rational.one, seededBits(1))
  `
  const compile = (text: string, options: readonly string[]): string => {
    writeFileSync(join(user, 'consumer.ts'), text)
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', '']
    return spawnSync(process.execPath, [compiler, ...strict, ...options, '--ignoreConfig', 'consumer.ts'], {
      cwd: user,
      encoding: 'utf8',
    }).stdout
  }

  for (const options of [
    ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ])
    it(`compile for a consumer that resolves like ${options.at(-1)}, and refuse what the sources refuse`, () => {
      assert.equal(compile(consumer, options), '')
      const errors = compile(misuse, options)
      assert.match(errors, /'"replace-one"' is not assignable to type '"add-remove"'/)
      assert.match(errors, /missing in type 'SeededBits' but required in type 'SecureBits'/)
    })
})

it('what browsers load compiles without the types of Node', () => {
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', join(sources, 'tsconfig.web.json')], {
    encoding: 'utf8',
  })
  assert.equal(stdout, '')
})
