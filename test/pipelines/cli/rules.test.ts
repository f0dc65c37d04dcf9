// The rules of publication at the command line, over the register of a file.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { shippedRules } from '../../../operators/privacy/release/rules/shipped.ts'
import { meterveil } from './command.ts'
import { writeFleet } from './fleet-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-rules-'))
after(() => rmSync(folder, { recursive: true }))
const { env, fleet } = writeFleet(folder, { homes: 40 })
const date = new Date().toISOString().slice(0, 10)
const day = ['--date', date]

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
/** Rules that so small a fleet keeps, under which noise is no reason either. */
const lenient = file(
  'lenient.json',
  JSON.stringify({
    ...shippedRules.get('neutral')!,
    name: 'lenient',
    classes: Object.fromEntries(
      Object.entries(shippedRules.get('neutral')!.classes).map(([name, rule]) => [
        name,
        { ...rule, minCount: 3, maxShare: null },
      ]),
    ),
    maxRelativeNoise: '1/1',
  }),
)

const recordsOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('rules show', () => {
  it('lists what comes with this version, and says who signs it', () => {
    const { code, stdout } = meterveil(['rules', 'show'])
    assert.equal(code, 0)
    for (const name of shippedRules.keys()) assert.match(stdout, new RegExp(`^${name}`, 'm'))
    assert.match(stdout, /has a lawyer check and sign/)
  })

  it('tells what a set asks for, counts and shares and noise', () => {
    const { code, stdout } = meterveil(['rules', 'show', 'us-15-15'])
    assert.equal(code, 0)
    assert.match(stdout, /^residential +3\/20 +15 +801 +566 +116$/m)
    assert.match(stdout, /^feeder +2,719 +1,923 +393$/m)
    assert.match(stdout, /Source: The 15\/15 rule/)
  })

  it('checks a file, and says everything that is wrong with it at once', () => {
    const wrong = file('wrong.json', JSON.stringify({ ...shippedRules.get('neutral'), mergePath: [], note: 1 }))
    const { code, stderr } = meterveil(['rules', 'show', wrong])
    assert.equal(code, 2)
    assert.match(stderr, /are wrong:\n {2}mergePath must name a level\n {2}note is no field of a rule set\n/)
    const broken = meterveil(['rules', 'show', file('text.json', '{')])
    assert.equal(broken.code, 2)
    assert.match(broken.stderr, /the file is not valid JSON: see line 1, column 2/)
    assert.equal(meterveil(['rules', 'show', lenient]).code, 0)
  })

  it('knows no rules of another name', () => {
    const { code, stderr } = meterveil(['rules', 'show', 'nuetral'])
    assert.deepEqual([code, /Did you mean neutral\?/.test(stderr)], [2, true])
  })
})

describe('rules check', () => {
  it('withholds a register that is too small, and says why', () => {
    const { code, stdout, stderr } = meterveil(['rules', 'check', ...day], env)
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`^Rules neutral, version 1, on ${date}, from the register alone\\.$`, 'm'))
    assert.match(stdout, /^utility +withheld_small_group +1 +40 +0$/m)
    assert.match(stdout, /^withheld_small_group: The register holds fewer homes/m)
  })

  it('tells of every group what becomes of it, by counts alone', () => {
    const { code, stdout, stderr } = meterveil(
      ['rules', 'check', lenient, ...day, '--groups', '--json', '--register', env.METERVEIL_REGISTER_FILE],
      { METERVEIL_ZONE: env.METERVEIL_ZONE, METERVEIL_CLIP_WH_FEEDER: '100', METERVEIL_CLIP_WH_UTILITY: '100' },
    )
    assert.equal(code, 0, stderr)
    const records = recordsOf(stdout)
    const groups = records.filter(({ kind }) => kind === 'group')
    const utility = groups.find(({ group }) => String(group).startsWith('utility/'))
    assert.deepEqual([utility?.['registered'], utility?.['withheld']], [40, null])
    assert.ok(groups.some(({ withheld, mergedInto }) => withheld !== null && mergedInto === utility?.['group']))
    assert.match(String(records.find(({ kind }) => kind === 'plan')?.['digest']), /^[0-9a-f]{64}$/)
    assert.ok(fleet.entries.every(({ point, systemTitle }) => !stdout.includes(point) && !stdout.includes(systemTitle)))
  })

  it('has the same digest again, and another one for other rules', () => {
    const digest = (...args: readonly string[]) =>
      /as the charge of the day carries it: ([0-9a-f]{64})/.exec(
        meterveil(['rules', 'check', ...args, ...day], env).stdout,
      )?.[1]
    assert.equal(digest(), digest('neutral'))
    assert.notEqual(digest(), digest('us-15-15'))
  })

  it('has another digest from another first day on, under rules that withhold nothing for it', () => {
    const [first, ...others] = fleet.entries.map((entry) => ({ ...entry, validFrom: 0 }))
    const joined = { ...first!, validFrom: Date.parse('2026-01-10T00:00Z') }
    const register = file('joined.jsonl', [joined, ...others].map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    const digest = (since: string) => {
      const args = ['neutral', '--register', register, '--date', '2026-01-12', '--since', since]
      return meterveil(['rules', 'check', ...args], env)
        .stdout.split('\n')
        .findLast((line) => line.startsWith('Digest'))
    }
    assert.notEqual(digest('2026-01-05'), digest('2026-01-11'))
    assert.match(
      meterveil(['rules', 'check', '--help']).stdout,
      /first day of the ledger, which the digest\s+always\s+needs/,
    )
  })

  const refused: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
    ['no register', ['rules', 'check'], {}, /needs a meter register/],
    ['a date that is none', ['rules', 'check', '--date', 'today'], env, /today is no date/],
    ['a day that no calendar has', ['rules', 'check', '--date', '2026-02-30'], env, /2026-02-30 is no date/],
    ['such a day as the first', ['rules', 'check', '--since', '2026-02-30'], env, /2026-02-30 is no date/],
    ['rules that are none', ['rules', 'check'], { ...env, METERVEIL_RULES: 'mine' }, /There are no rules mine/],
    [
      'rules that are none, at the start of run',
      ['run'],
      { ...env, METERVEIL_RULES: 'mine' },
      /There are no rules mine/,
    ],
  ]
  for (const [what, args, variables, says] of refused) {
    it(`refuses ${what} in one sentence`, () => {
      const { code, stderr } = meterveil(args, variables)
      assert.equal(code, 2)
      assert.match(stderr.split('\n')[0]!, says)
    })
  }

  it('refuses a register that does not fit the rules, as run does', () => {
    const entries = fleet.entries.map((entry) => ({ ...entry, fuseWhPerHour: 6_000_000 }))
    const register = file('large.jsonl', entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    for (const args of [['rules', 'check', '--register', register], ['run']]) {
      const { code, stderr } = meterveil(args, { ...env, METERVEIL_REGISTER_FILE: register })
      assert.equal(code, 2)
      assert.match(
        stderr,
        /^Error: The register does not fit the rules neutral: largestWhPerHour is 5000000, but 40 entries/,
      )
    }
  })
})
