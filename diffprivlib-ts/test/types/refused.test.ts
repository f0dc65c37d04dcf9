// Programs that must not compile, each with the compiler's sentence. They are written to a scratch folder and compiled together once.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'

const source = resolve(import.meta.dirname, '../../src')
const compiler = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))

const prelude = `
import { binaryTree, clampedSum, continualRelease, countOnce, discreteGaussian, discreteGaussianMechanism, discreteLaplace, discreteLaplaceMechanism,
  budgetAccountant, disjointLosses, disjointParts, limitGroups, mechanisms, oneStep, openAccount, openPrivacyAccount, partitionSelection, rational, secureBits, statedUtility, thresholdedCounts, tools,
  type ChargeFirst, type L2Sensitivity, type Neighbours } from '${source}/index.ts'
import { seededBits, seededGaussian } from '${source}/testing/index.ts'
export const { one } = rational
export const neighbours = 'add-remove'
export declare const account: ChargeFirst<'add-remove'>
export const grid = one
export const bounds = { lower: rational.zero, upper: one, grid, nan: 'drop' } as const
export const sum = clampedSum({ neighbours, lower: 0n, upper: 100n })
export const other = clampedSum({ neighbours: 'replace-one', lower: 0n, upper: 100n })
export const kept = [countOnce, discreteGaussian, discreteGaussianMechanism, discreteLaplace, discreteLaplaceMechanism, disjointParts,
  openAccount, openPrivacyAccount, budgetAccountant, disjointLosses, binaryTree, continualRelease, limitGroups, oneStep, partitionSelection, thresholdedCounts, secureBits, seededBits, seededGaussian,
  mechanisms, statedUtility, tools]
export type Kept = L2Sensitivity<Neighbours>
`

const refused: readonly { readonly what: string; readonly code: string; readonly says: string }[] = [
  {
    what: 'a number as a sensitivity',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: 100, rho: one })',
    says: "Type 'number' is not assignable to type 'L2Sensitivity<\"add-remove\">'",
  },
  {
    what: 'a fraction as a sensitivity',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: one, rho: one })',
    says: "'Rational' is missing the following properties from type 'L2Sensitivity",
  },
  {
    what: 'a sensitivity written by hand',
    code: "discreteGaussianMechanism({ neighbours, sensitivity: { neighbours, l2Squared: one, because: 'I say so' }, rho: one })",
    says: "Property '[bounded]' is missing",
  },
  {
    what: 'a sensitivity of the other relation, for a Gaussian',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: other.l2, rho: one })',
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a sensitivity of the other relation, for a Laplace',
    code: 'discreteLaplaceMechanism({ neighbours, sensitivity: other.l1, epsilon: one })',
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a mechanism without a relation',
    code: 'discreteGaussianMechanism({ sensitivity: sum.l2, rho: one })',
    says: "Property 'neighbours' is missing",
  },
  {
    what: 'a bounding step without a relation',
    code: 'clampedSum({ lower: 0n, upper: 1n })',
    says: "Property 'neighbours' is missing",
  },
  {
    what: 'an L2 bound for a Laplace',
    code: 'discreteLaplaceMechanism({ neighbours, sensitivity: sum.l2, epsilon: one })',
    says: "Property 'l1' is missing",
  },
  {
    what: 'an L1 bound for a Gaussian',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: sum.l1, rho: one })',
    says: "Property 'l2Squared' is missing",
  },
  {
    what: 'both rho and sigma^2',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: sum.l2, rho: one, sigma2: one })',
    says: "Type 'Rational' is not assignable to type 'undefined'",
  },
  {
    what: 'neither epsilon nor scale',
    code: 'discreteLaplaceMechanism({ neighbours, sensitivity: sum.l1 })',
    says: 'is not assignable to parameter of type',
  },
  {
    what: 'seeded bits for a mechanism',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: sum.l2, rho: one }, seededBits(1))',
    says: "Property '[secure]' is missing in type 'SeededBits'",
  },
  {
    what: 'seeded bits for a sampler',
    code: 'discreteLaplace(one, seededBits(1))',
    says: "Property '[secure]' is missing in type 'SeededBits'",
  },
  {
    what: 'a source written by hand',
    code: 'discreteGaussian(one, { word: () => 4, bits: () => 0 })',
    says: "Property '[secure]' is missing",
  },
  {
    what: 'secure bits for a seeded sampler, which would look reproducible and not be',
    code: 'seededGaussian(one, secureBits())',
    says: "Property '[seeded]' is missing in type 'SecureBits'",
  },
  {
    what: 'parallel composition of a bare list',
    code: "openAccount(one).charge('day', 'feeders', [one, one])",
    says: "Argument of type 'Rational[]' is not assignable",
  },
  {
    what: 'a double as a rho',
    code: "openAccount(one).charge('day', 'sum', 0.1)",
    says: "Argument of type 'number' is not assignable",
  },
  { what: 'parallel composition without a reason', code: 'disjointParts([one])', says: 'Expected 2 arguments' },
  {
    what: 'a sensitivity of the other relation, for a mechanism on a grid',
    code: 'mechanisms.laplace({ neighbours, sensitivity: other.l1, epsilon: one, grid })',
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a loss of the other relation in a privacy account',
    code: "openPrivacyAccount({ neighbours, cap: { rho: one } }).charge('day', 'sum', { kind: 'zcdp', neighbours: 'replace-one', rho: one })",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a release of the other relation from a privacy account',
    code: "openPrivacyAccount({ neighbours, cap: { rho: one } }).release('day', 'sum', discreteGaussianMechanism({ neighbours: 'replace-one', sensitivity: other.l2, rho: one }).loss, () => 1)",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'disjoint losses of the other relation in a privacy account',
    code: "openPrivacyAccount({ neighbours, cap: { rho: one } }).charge('day', 'sum', disjointLosses([{ part: 'a', loss: { kind: 'pure', neighbours: 'replace-one', epsilon: one } }], 'why'))",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a loss of the other relation in a budget',
    code: "budgetAccountant({ neighbours, epsilon: 1 }).charge('sum', { kind: 'pure', neighbours: 'replace-one', epsilon: one })",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a privacy account without a relation',
    code: 'openPrivacyAccount({ cap: { rho: one } })',
    says: "Property 'neighbours' is missing",
  },
  {
    what: 'a plan by loss distributions without its reason',
    code: "openPrivacyAccount({ neighbours, cap: { epsilon: one, delta: one, composition: 'pld' } })",
    says: "Property 'planned' is missing",
  },
  {
    what: 'a mechanism of the other relation in an account',
    code: "account.charge('sum', mechanisms.geometric({ neighbours: 'replace-one', sensitivity: other.l1, epsilon: one }).loss)",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a discrete Gaussian of the other relation in an account',
    code: "account.charge('sum', discreteGaussianMechanism({ neighbours: 'replace-one', sensitivity: other.l2, rho: one }).loss)",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a tool of the other relation on an account',
    code: "tools.sum([1], { neighbours: 'replace-one', account, label: 'sum', epsilon: one, ...bounds })",
    says: `Type 'ChargeFirst<"add-remove">' is not assignable to type 'ChargeFirst<"replace-one">'`,
  },
  {
    what: 'a randomised record under add-remove',
    code: "mechanisms.binary({ neighbours, epsilon: one, value0: 'a', value1: 'b' })",
    says: `Type '"add-remove"' is not assignable to type '"replace-one"'`,
  },
  {
    what: 'a tool without bounds',
    code: "tools.mean([1], { neighbours, account, label: 'mean', epsilon: one, grid, nan: 'drop' })",
    says: 'missing the following properties',
  },
  {
    what: 'a tool that does not say what happens to NaN',
    code: "tools.median([1], { neighbours, account, label: 'median', epsilon: one, grid, lower: one, upper: one })",
    says: "Property 'nan' is missing",
  },
  {
    what: 'a mechanism on the reals without a grid',
    code: 'mechanisms.gaussian({ neighbours, sensitivity: sum.l2, sigma2: one })',
    says: "Property 'grid' is missing",
  },
  {
    what: 'a bare number as the sensitivity of a choice',
    code: 'mechanisms.exponential({ neighbours, sensitivity: one, epsilon: one, utility: [one] })',
    says: "from type 'UtilitySensitivity",
  },
  {
    what: 'seeded bits for a mechanism on a grid',
    code: 'mechanisms.laplace({ neighbours, sensitivity: sum.l1, epsilon: one, grid }, seededBits(1))',
    says: "Property '[secure]' is missing in type 'SeededBits'",
  },
  {
    what: 'a fraction as the value of a release',
    code: 'discreteGaussianMechanism({ neighbours, sensitivity: sum.l2, rho: one }).release(one)',
    says: 'No overload matches this call',
  },
  {
    what: 'a sensitivity of the other relation, for a continual release',
    code: 'continualRelease({ neighbours, sensitivity: other.l2, participation: oneStep, strategy: binaryTree({ steps: 4 }), rho: one })',
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
  {
    what: 'a continual release that does not say in how many steps a unit has data',
    code: 'continualRelease({ neighbours, sensitivity: sum.l2, strategy: binaryTree({ steps: 4 }), rho: one })',
    says: "Property 'participation' is missing",
  },
  {
    what: 'a number as the limit of groups',
    code: 'partitionSelection({ neighbours, groups: 1, epsilon: one, delta: one })',
    says: "Type 'number' is not assignable to type 'GroupLimit<\"add-remove\">'",
  },
  {
    what: 'a limit of groups for the other relation',
    code: "thresholdedCounts({ neighbours, groups: limitGroups({ neighbours: 'replace-one', most: 1 }).groups, epsilon: one, delta: one })",
    says: `Type '"replace-one"' is not assignable to type '"add-remove"'`,
  },
]

const accepted = [
  "openPrivacyAccount({ neighbours, cap: { rho: one } }).charge('day', 'sum', discreteGaussianMechanism({ neighbours, sensitivity: sum.l2, rho: one }).loss)",
  "tools.sum([1], { neighbours, account: openPrivacyAccount({ neighbours, cap: { rho: one } }).of('day'), label: 'sum', epsilon: one, ...bounds })",
  "tools.sum([1], { neighbours, account: budgetAccountant({ neighbours, epsilon: 1 }), label: 'sum', epsilon: one, ...bounds })",
  'discreteGaussianMechanism({ neighbours, sensitivity: sum.l2, rho: one }).release(5)',
  'discreteLaplaceMechanism({ neighbours, sensitivity: sum.l1, epsilon: one }, secureBits()).releaseAll([5n])',
  "discreteGaussianMechanism({ neighbours: 'replace-one', sensitivity: other.l2, sigma2: one })",
  "openAccount(one).charge('day', 'feeders', disjointParts([one, one], 'one feeder a home'))",
  'seededGaussian(one, seededBits(1)).nextNumber()',
  "account.charge('sum', mechanisms.laplace({ neighbours, sensitivity: sum.l1, epsilon: one, grid }).loss)",
  "tools.sum([1], { neighbours, account, label: 'sum', epsilon: one, ...bounds }).value.toFixed()",
  "mechanisms.permuteAndFlip({ neighbours, sensitivity: statedUtility({ neighbours, sensitivity: one, monotonic: true, because: 'x' }), epsilon: one, utility: [one], candidates: ['a'] }).randomise().length",
  'continualRelease({ neighbours, sensitivity: sum.l2, participation: oneStep, strategy: binaryTree({ steps: 4 }), rho: one })',
  'partitionSelection({ neighbours, groups: limitGroups({ neighbours, most: 1 }).groups, epsilon: one, delta: one })',
]

const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-types-'))
after(() => rmSync(folder, { recursive: true }))

const compile = (programs: readonly string[]): ReadonlyMap<string, string> => {
  const files = programs.map((code, i) => {
    writeFileSync(join(folder, `case-${i}.ts`), `${prelude}\nexport const outcome = ${code}\n`)
    return `case-${i}.ts`
  })
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [resolve(compiler, '../@types')],
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(compiler, 'bin/tsc'), '-p', folder, '--pretty', 'false'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  assert.equal(stderr, '')
  const errors = new Map<string, string>()
  let latest = 'the compiler'
  for (const line of stdout.split('\n')) {
    latest = /^(\S+?)\(\d+,\d+\): error/.exec(line)?.[1] ?? latest
    errors.set(latest, `${errors.get(latest) ?? ''}${line}\n`)
  }
  return errors
}

describe('the compiler', () => {
  const errors = compile([...refused.map(({ code }) => code), ...accepted])
  for (const [i, { what, says }] of refused.entries())
    it(`refuses ${what}`, () => {
      const said = errors.get(`case-${i}.ts`)
      assert.ok(said?.includes(says), said ?? 'it compiles')
    })

  for (const [i, code] of accepted.entries())
    it(`accepts ${code}`, () => assert.equal(errors.get(`case-${refused.length + i}.ts`), undefined))

  it('complains of nothing else', () => {
    const known = new Set(refused.map((_, i) => `case-${i}.ts`))
    assert.deepEqual(
      [...errors].filter(([path, text]) => !known.has(path) && text.trim() !== ''),
      [],
    )
  })
})
