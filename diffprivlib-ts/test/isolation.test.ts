// What the package may reach: no Math.random, no transcendental functions of the host in samplers or bounds, no dependency, and Node in two places.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import * as library from '../src/index.ts'
import { secureBits } from '../src/random/secure.ts'
import { decimal, integer } from '../src/rational.ts'
import { integerGaussian, integerLaplace } from '../src/samplers/canonne-kamath-steinke.ts'
import { catalogue } from './mechanisms/catalogue.ts'

const root = new URL('../src/', import.meta.url)
const sources = readdirSync(root, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))
  .map((name) => ({ name, text: readFileSync(new URL(name, root), 'utf8') }))

/** The code of a file without its comments. */
const codeOf = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
const importsOf = (text: string): readonly string[] =>
  [...codeOf(text).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)

const filesWith = (pattern: RegExp, within = ''): readonly string[] =>
  sources.filter(({ name, text }) => name.startsWith(within) && pattern.test(codeOf(text))).map(({ name }) => name)

describe('the source of the package', () => {
  it('is all seen by this test', () => assert.ok(sources.length > 20))

  it('never names Math.random, also not by another way', () => {
    assert.deepEqual(
      filesWith(/Math\s*\.\s*random|Math\s*\[|\brandom\s*\(\s*\)|\{[^}]*\brandom\b[^}]*\}\s*=\s*Math/),
      [],
    )
  })

  it('uses no transcendental function of the host anywhere', () => {
    assert.deepEqual(
      filesWith(/Math\s*\.\s*(log|exp|pow|sqrt|cbrt|sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|hypot)/),
      [],
    )
  })

  it('uses the power operator on bigints or in constants only', () => {
    const powers = sources.flatMap(({ text }) =>
      [...codeOf(text).matchAll(/(\S+) \*\* (\S+)/g)].map((match) => match[0]),
    )
    for (const power of powers) assert.match(power, /^\(?-?(\d+n \*\* |2 \*\* \d+)/)
  })

  it('knows Node in its entropy and its file ledger only', () => {
    const withNode = sources.filter(({ text }) => importsOf(text).some((name) => name.startsWith('node:')))
    assert.deepEqual(withNode.map(({ name }) => name).toSorted(), [
      'ledger/file.ts',
      'ledger/lock.ts',
      'random/entropy-node.ts',
    ])
  })

  it('reaches the file ledger by its own export only, and there Node by node:fs alone', () => {
    const nodeModules = sources
      .filter(({ name }) => name.startsWith('ledger/'))
      .flatMap(({ text }) => importsOf(text).filter((path) => path.startsWith('node:')))
    assert.deepEqual([...new Set(nodeModules)], ['node:fs'])
    const reaching = sources.filter(({ text }) =>
      importsOf(text).some((path) => /ledger\/(file|lock)|\.\/(file|lock)\.ts/.test(path)),
    )
    assert.deepEqual(
      reaching.map(({ name }) => name),
      ['ledger/file.ts'],
    )
  })

  it('imports nothing but its own files', () => {
    for (const { name, text } of sources)
      for (const path of importsOf(text)) {
        if (name === 'random/entropy-node.ts' || path === 'node:fs') continue
        if (path === '#entropy') assert.equal(name, 'random/secure.ts')
        else {
          assert.match(path, /^\.{1,2}\/.*\.ts$/)
          assert.ok(new URL(path, new URL(name, root)).href.startsWith(root.href), `${name} imports ${path}`)
        }
      }
  })

  it('lets nothing outside testing/ reach testing/', () => {
    const reaching = sources.filter(
      ({ name, text }) => !name.startsWith('testing/') && importsOf(text).some((path) => path.includes('testing')),
    )
    assert.deepEqual(reaching, [])
  })

  it('declares no dependency', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Record<
      string,
      unknown
    >
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies'])
      assert.equal(manifest[kind], undefined)
  })
})

describe('the scanner', () => {
  it('would see what it looks for', () => {
    const planted = "import { x } from 'node:fs'\nconst y = Math.random() // Math.log\n/* Math.exp */"
    assert.deepEqual(importsOf(planted), ['node:fs'])
    assert.match(codeOf(planted), /Math\.random/)
    assert.doesNotMatch(codeOf(planted), /Math\.(log|exp)/)
  })
})

describe('at run time', () => {
  it('samplers, laws, conversions and mechanisms work where Math.random and Math.log throw', (t) => {
    // The repository reads Math by name only; a test that takes it apart goes the long way.
    const host = Reflect.get(globalThis, 'Math') as unknown as Record<string, () => number>
    for (const name of ['random', 'log', 'log2', 'log1p', 'exp', 'expm1', 'pow', 'sqrt'] as const)
      t.mock.method(host, name, () => {
        throw new Error(`Math.${name} was called`)
      })
    assert.throws(() => Math.log(2), /was called/)
    for (const scale of ['0.3', '1', '1000.5', '1e12'].map(decimal)) {
      for (let i = 0; i < 200; i++) {
        library.discreteGaussian(scale).next()
        library.discreteLaplace(scale).next()
      }
      integerGaussian(secureBits(), scale)()
      integerLaplace(secureBits(), scale)()
      library.discreteGaussianLaw(scale).halfWidth(decimal('0.95'))
      library.discreteLaplaceLaw(scale).halfWidth(decimal('0.95'))
    }
    for (const build of Object.values(catalogue)) build().release()
    const ends = { lower: integer(0), upper: integer(10), grid: decimal('0.1'), nan: 'refuse' } as const
    const account = { charge: () => undefined }
    const common = { neighbours: 'add-remove', account, label: 'x', epsilon: integer(1), ...ends } as const
    for (const tool of [library.tools.sum, library.tools.mean, library.tools.std, library.tools.median])
      tool([1, 2, 3], common)
    library.zcdpToEpsilon(decimal('0.02435597'), decimal('1e-6'))
    library.approxDpToRho(integer(1), decimal('1e-6'))
    const { l1, l2 } = library.countOnce({ neighbours: 'add-remove' })
    library.discreteGaussianMechanism({ neighbours: 'add-remove', sensitivity: l2, rho: integer(1) }).release(0)
    library.discreteLaplaceMechanism({ neighbours: 'add-remove', sensitivity: l1, epsilon: integer(1) }).release(0)
  })
})
