import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { KnownProfiles } from '../../../pipelines/cli/register-fields.ts'
import { readRegister } from '../../../pipelines/cli/register-file.ts'
import { household } from '../../operators/privacy/k-anonymize/registers.ts'
import { meterveil } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-register-file-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'register.jsonl')
const entry = household('connection-4711', { profile: 'interval-30min' })

const read = (...lines: readonly unknown[]) => {
  writeFileSync(file, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return readRegister(file)
}
const readWith = (profiles: KnownProfiles, line: unknown) => {
  writeFileSync(file, JSON.stringify(line))
  return readRegister(file, { profiles })
}
const refuses = (line: unknown, message: string) =>
  assert.throws(() => read(entry, line), {
    name: 'CliError',
    message: `Line 2 of the register ${message}.`,
    action: 'Correct it; docs/operator.md lists the fields.',
    exitCode: 2,
  })

describe('a register file', () => {
  test('is one entry a line, whatever the order of the fields', () => {
    const turned = Object.fromEntries(Object.entries(entry).reverse())
    assert.deepEqual(read(entry, '', turned), [entry, entry])
  })

  const wrong: readonly (readonly [name: string, value: unknown, may: string])[] = [
    ['point', 7, 'a text'],
    ['systemTitle', null, 'a text of 16 hex digits'],
    ['validFrom', '2026-01-01', 'a time in whole UTC milliseconds'],
    ['validFrom', 1.5, 'a time in whole UTC milliseconds'],
    ['validTo', '', 'a time in whole UTC milliseconds, or null while the meter is installed'],
    ['direction', 'in', 'one of "import", "export", "both"'],
    ['partition', 0.5, 'a whole number from 0'],
    ['index', 2 ** 31, 'a whole number from 0'],
    ['groups', 'feeder-1', 'an object with a text for each of utility, region, substation, feeder'],
    ['customerClass', 'home', 'one of "residential", "commercial", "industrial", "agricultural"'],
    ['timeZone', 1, 'an IANA time zone such as "Europe/London"'],
    ['profile', [], 'one of "interval-15min", "interval-30min", "interval-60min"'],
    ['profile', 'kaifa-han-list-1', 'one of "interval-15min", "interval-30min", "interval-60min"'],
    ['protection', 'gcm', 'one of "none", "authenticated", "encrypted", "authenticated-encrypted"'],
    ['keyRef', {}, 'a text that names a line of the key ring'],
    ['fuseWhPerHour', '13800', 'a whole number of Wh per hour'],
    ['pointsAtConnection', 'one', 'a whole number from 1'],
  ]
  for (const [name, value, may] of wrong) {
    test(`names the field ${name} that is ${JSON.stringify(value)}, and says what it may be`, () => {
      refuses({ ...entry, [name]: value }, `has a wrong ${name}: it must be ${may}`)
    })
  }

  test('names each field that a line lacks, and each that is of no kind', () => {
    for (const name of Object.keys(entry)) {
      const { [name as keyof typeof entry]: _, ...rest } = entry
      assert.throws(() => read(entry, rest), {
        message: new RegExp(`^Line 2 of the register has no ${name}: it must be `),
      })
      assert.throws(() => read(entry, { ...entry, [name]: true }), {
        message: new RegExp(`^Line 2 of the register has a wrong ${name}: it must be `),
      })
    }
  })

  test('names a group that is missing or wrong', () => {
    const { feeder: _, ...groups } = entry.groups
    refuses({ ...entry, groups }, 'has no groups.feeder: it must be a text')
    refuses({ ...entry, groups: { ...groups, feeder: 1 } }, 'has a wrong groups.feeder: it must be a text')
  })

  test('is refused where a line is no entry at all', () => {
    refuses('{"point":', 'is not JSON')
    for (const line of ['[]', 'null', '7', '"text"']) refuses(line, 'is no JSON object')
    refuses({ ...entry, colour: 'red' }, 'has a field colour, which no entry has')
  })

  test('may name profiles of a pipeline of one’s own where they are given, and any where nothing is decoded', () => {
    const own = { ...entry, profile: 'own-meter' }
    assert.deepEqual(readWith(new Set(['own-meter']), own), [own])
    assert.deepEqual(readWith('any', own), [own])
    assert.throws(() => readWith(new Set(['own-meter']), entry), /has a wrong profile: it must be one of "own-meter"\./)
    assert.throws(() => readWith('any', { ...own, profile: 7 }), /it must be the name of a decoding profile\./)
  })

  test('never shows what a line holds', () => {
    assert.throws(
      () => read({ ...entry, validFrom: 'connection-4711' }),
      ({ message, action }: Error & { action: string }) => !`${message}${action}`.includes('4711'),
    )
  })

  test('of a pipeline of one’s own is loaded once its profiles are named', () => {
    const env = {
      METERVEIL_MODE: 'development',
      METERVEIL_KAFKA_BROKERS: '127.0.0.1:1',
      METERVEIL_REGISTRY_URL: 'http://127.0.0.1:1',
    }
    writeFileSync(file, JSON.stringify({ ...entry, profile: 'own-meter' }))
    const refused = meterveil(['register', 'load', file], env)
    assert.match(
      refused.stderr,
      /^Error: Line 1 of the register has a wrong profile: it must be one of "interval-15min"/,
    )
    assert.equal(refused.code, 2)
    const taken = meterveil(['register', 'load', file, '--profiles', 'own-meter,other'], env)
    assert.doesNotMatch(taken.stderr, /profile/)
    assert.equal(taken.code, 1, 'and ends at brokers that do not answer')
  })

  test('that is missing, or a folder, ends a command like one that is wrong', () => {
    for (const [path, stderr] of [
      [join(folder, 'none'), `Error: The register file ${join(folder, 'none')} does not exist.\nCheck the path.\n`],
      [folder, `Error: The register file ${folder} is a folder.\nName a file.\n`],
    ] as const) {
      const finished = meterveil(['register', 'attributes'], { METERVEIL_REGISTER_FILE: path })
      assert.equal(finished.stderr, stderr)
      assert.equal(finished.code, 2)
    }
  })
})
