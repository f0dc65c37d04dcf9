import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { household } from '../../operators/privacy/k-anonymize/registers.ts'
import { meterveil } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-attributes-'))
after(() => rmSync(folder, { recursive: true }))

const registered = Date.parse('2026-01-10T12:00Z')
const homes = (from: number, to: number, rest: Partial<RegisterEntry>) =>
  Array.from({ length: to - from }, (_, i) => household(`home ${from + i}`, { index: from + i, zone: 'main', ...rest }))
const register = [
  ...homes(0, 300, { area: 'north-town-1' }),
  ...homes(300, 390, { area: 'north-town-2', tariff: 'night' }),
  ...homes(390, 400, { area: 'north-village-1', heating: 'oil', validFrom: registered }),
  ...homes(400, 415, { zone: 'south' }),
]
const file = join(folder, 'register.jsonl')
writeFileSync(file, register.map((entry) => `${JSON.stringify(entry)}\n`).join(''))

const attributes = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  meterveil(['register', 'attributes', ...args], {
    METERVEIL_REGISTER_FILE: file,
    METERVEIL_ATTRIBUTES_SINCE: '2025-12',
    ...env,
  })

describe('register attributes', () => {
  test('prints what is told in a month, zone by zone, with heads in words', () => {
    const { stdout, stderr, code } = attributes(['--month', '2026-01'])
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    assert.match(stdout, /^zone +homes +told nothing of +classes +homes in the smallest +lost$/m)
    assert.match(stdout, /^main +390 +0 +2 +90 +0\.0 %$/m)
    assert.match(stdout, /^south +15 +15 +1 +15 +100\.0 %$/m)
    assert.match(stdout, /^main +area +as registered +0 of 3 +0\.0 %$/m)
    assert.match(stdout, /^main +tariff +as registered +0 of 2 +0\.0 %$/m)
    assert.doesNotMatch(stdout, /home \d|point of/)
  })

  test('names the steps of those who are told more coarsely, in the month in which they are', () => {
    const env = { METERVEIL_ATTRIBUTES_MAX_SUPPRESSED: '0', METERVEIL_ATTRIBUTES_SINCE: '2026-02' }
    const { stdout } = attributes(['--month', '2026-02'], env)
    assert.match(stdout, /^main +400 +0 +\d+ +\d+ +[\d.]+ %$/m)
    assert.match(stdout, /^main +area +without the last 2 parts +2 of 3 +100\.0 %$/m)
    assert.match(stdout, /^main +heating +electric or not +1 of 2 +100\.0 %$/m)
  })

  test('tells the same to a script', () => {
    const { stdout, stderr } = attributes(['--month', '2026-01', '--json'])
    const [main, south, ...more] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(more, [], stderr)
    const { steps, lostOf, ...rest } = main
    assert.deepEqual(rest, {
      kind: 'attributes',
      month: '2026-01',
      told: true,
      zone: 'main',
      homes: 390,
      toldNothing: 0,
      classes: 2,
      smallestClass: 90,
      lost: 0,
    })
    assert.deepEqual(Object.keys(steps), ['area', 'tariff', 'heating', 'dwelling'])
    assert.deepEqual(lostOf, { area: 0, tariff: 0, heating: 0, dwelling: 0 })
    assert.deepEqual([south.zone, south.toldNothing], ['south', 15])
  })

  test('goes by the rules of the settings', () => {
    const { stdout } = attributes(['--month', '2026-01'], { METERVEIL_ATTRIBUTES_K: '15' })
    assert.match(stdout, /^south +15 +0 +1 +15 +0\.0 %$/m)
    const { stdout: varied } = attributes(['--month', '2026-01'], { METERVEIL_ATTRIBUTES_L: '2' })
    assert.match(varied, /^main +390 +390 +1 +390 +100\.0 %$/m)
  })

  test('says that nothing is told before the first month, and what would be told without one', () => {
    const { stdout, code } = attributes(['--month', '2025-11'])
    assert.equal(stdout, 'Attributes are told of no home in 2025-11: attributesSince is 2025-12.\n')
    assert.equal(code, 0)
    const env = { METERVEIL_REGISTER_FILE: file }
    const without = meterveil(['register', 'attributes', '--month', '2026-01', '--json'], env)
    assert.match(
      without.stderr,
      /^Attributes are told of no household: set attributesSince\. This is what would be told if it were 2026-01\.$/m,
    )
    assert.match(without.stdout, /"told":false,"zone":"main","homes":390/)
  })

  test('counts measuring points as parts of homes, and shows whole homes', () => {
    const points = join(folder, 'points.jsonl')
    const rows = [
      ...homes(0, 45, { pointsAtConnection: 2 }),
      ...homes(45, 50, { pointsAtConnection: 2, zone: 'south' }),
    ]
    writeFileSync(points, rows.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    const env = { METERVEIL_REGISTER_FILE: points }
    const { stdout, stderr } = attributes(['--month', '2026-01'], env)
    assert.match(stdout, /^main +22 +0 +1 +22 +0\.0 %$/m, stderr)
    assert.match(stdout, /^south +2 +2 +1 +2 +100\.0 %$/m)
    const { stdout: json } = attributes(['--month', '2026-01', '--json'], env)
    assert.match(json, /"zone":"main","homes":22,"toldNothing":0,"classes":1,"smallestClass":22,/)
  })

  test('refuses a month that is none', () => {
    const { stderr, code } = attributes(['--month', '2026-13'])
    assert.equal(stderr, 'Error: 2026-13 is no month.\nWrite it as YYYY-MM, such as 2026-11.\n')
    assert.equal(code, 2)
  })
})
