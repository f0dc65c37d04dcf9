import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings, settingSpecs } from '../../../pipelines/runtime/settings.ts'
import { SettingsError } from '../../../pipelines/runtime/settings-error.ts'

const fromFile = (text: string, env: Record<string, string> = {}) =>
  readSettings({ env, file: 'settings.json', read: () => text })

const problemsOf = (attempt: () => unknown): readonly string[] => {
  try {
    attempt()
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error))
    return error.problems
  }
  return []
}

test('needs nothing: the log lies in memory and nothing is served', () => {
  assert.deepEqual(readSettings({ env: { PATH: '/bin', HOME: '/' } }), {
    dataFolder: undefined,
    fsync: 'commit',
    partitions: 8,
    keyringFolder: undefined,
    registerFile: undefined,
    metricsPort: undefined,
    zone: 'main',
    horizonDays: 14,
    policy: { clipWhPerHalfHour: {}, rhoPerDay: undefined },
  })
})

test('reads every setting from the environment', () => {
  const settings = readSettings({
    env: {
      METERVEIL_DATA_FOLDER: 'data',
      METERVEIL_FSYNC: 'none',
      METERVEIL_PARTITIONS: '16',
      METERVEIL_KEYRING_FOLDER: 'keys',
      METERVEIL_REGISTER_FILE: 'register.ndjson',
      METERVEIL_METRICS_PORT: '0',
      METERVEIL_ZONE: 'north-2',
      METERVEIL_HORIZON_DAYS: '7',
      METERVEIL_CLIP_WH_UTILITY: '20000',
      METERVEIL_CLIP_WH_REGION: '15000',
      METERVEIL_CLIP_WH_SUBSTATION: '12000',
      METERVEIL_CLIP_WH_FEEDER: '8000',
      METERVEIL_RHO_PER_DAY: '1/100',
      METERVEIL_DEBUG: '1',
    },
  })
  assert.deepEqual(settings, {
    dataFolder: 'data',
    fsync: 'none',
    partitions: 16,
    keyringFolder: 'keys',
    registerFile: 'register.ndjson',
    metricsPort: 0,
    zone: 'north-2',
    horizonDays: 7,
    policy: {
      clipWhPerHalfHour: { utility: 20_000, region: 15_000, substation: 12_000, feeder: 8_000 },
      rhoPerDay: '1/100',
    },
  })
})

test('reads one JSON file, and the environment wins', () => {
  const settings = fromFile('{"partitions": 4, "zone": "south", "policy": {"clipWhPerHalfHour": {"feeder": 9000}}}', {
    METERVEIL_ZONE: 'north',
  })
  assert.deepEqual(
    [settings.partitions, settings.zone, settings.policy.clipWhPerHalfHour],
    [4, 'north', { feeder: 9_000 }],
  )
})

test('an empty group of settings changes nothing', () => {
  assert.deepEqual(fromFile('{"policy": {}}'), fromFile('{}'))
})

test('METERVEIL_SETTINGS names the file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-settings-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'settings.json')
  writeFileSync(file, '{"partitions": 3}')
  assert.equal(readSettings({ env: { METERVEIL_SETTINGS: file } }).partitions, 3)
})

const wrong: readonly { readonly says: string; readonly text: string; readonly problem: RegExp }[] = [
  { says: 'an unknown key', text: '{"partition": 8}', problem: /partition is no setting; did you mean partitions\?/ },
  { says: 'an unknown key inside another', text: '{"policy": {"rho": "1/2"}}', problem: /policy\.rho is no setting/ },
  {
    says: 'an unknown level',
    text: '{"policy": {"clipWhPerHalfHour": {"street": 1}}}',
    problem: /street is no setting/,
  },
  { says: 'an unknown empty group', text: '{"polices": {}}', problem: /polices is no setting/ },
  { says: 'a group in place of a number', text: '{"partitions": {}}', problem: /partitions must be .*, and is \{\}/ },
  { says: 'a number in place of a group', text: '{"policy": 3}', problem: /policy is no setting/ },
  { says: 'a number as text', text: '{"partitions": "8"}', problem: /a whole number from 1 to 1,024, and is "8"/ },
  {
    says: 'a number that is not finite',
    text: '{"partitions": 1e999}',
    problem: /partitions must be .*, and is Infinity/,
  },
  { says: 'a fraction', text: '{"partitions": 1.5}', problem: /partitions must be a whole number/ },
  { says: 'a number out of range', text: '{"metricsPort": 70000}', problem: /from 0 to 65,535, and is 70000/ },
  { says: 'null', text: '{"zone": null}', problem: /zone must be up to 32 .*, and is null/ },
  { says: 'a list', text: '{"zone": ["a"]}', problem: /zone must be/ },
  { says: 'another fsync', text: '{"fsync": "always"}', problem: /fsync must be "commit" or "none", and is "always"/ },
  { says: 'a rho above the cap', text: '{"policy": {"rhoPerDay": "1/41"}}', problem: /at most 2435597\/100000000/ },
  { says: 'a rho of nothing', text: '{"policy": {"rhoPerDay": "0/1"}}', problem: /rhoPerDay must be/ },
  { says: 'a rho over zero', text: '{"policy": {"rhoPerDay": "1/0"}}', problem: /rhoPerDay must be/ },
  { says: 'a rho as a number', text: '{"policy": {"rhoPerDay": 0.01}}', problem: /rhoPerDay must be/ },
  {
    says: 'a bound of nothing',
    text: '{"policy": {"clipWhPerHalfHour": {"feeder": 0}}}',
    problem: /from 100 to 1,000,000/,
  },
  { says: 'text that is not JSON', text: '{partitions: 8}', problem: /settings\.json is not valid JSON/ },
  { says: 'JSON that is no object', text: '[]', problem: /must hold one JSON object/ },
]

for (const { says, text, problem } of wrong) {
  test(`refuses ${says}`, () => {
    const problems = problemsOf(() => fromFile(text))
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] as string, problem)
  })
}

test('refuses numbers in the environment that are no numbers', () => {
  for (const text of ['', ' ', '8x', '0x8', '1e3', '8.0', 'NaN', 'Infinity', '-1']) {
    assert.match(
      problemsOf(() => readSettings({ env: { METERVEIL_PARTITIONS: text } })).join(),
      /METERVEIL_PARTITIONS must be a whole number/,
      JSON.stringify(text),
    )
  }
})

test('refuses a misspelt variable and names the nearest', () => {
  assert.deepEqual(
    problemsOf(() => readSettings({ env: { METERVEIL_PARTITION: '8' } })),
    ['METERVEIL_PARTITION is no setting; did you mean METERVEIL_PARTITIONS?'],
  )
})

test('a file that is not there is one sentence', () => {
  assert.deepEqual(
    problemsOf(() => readSettings({ env: {}, file: 'no/such/file.json' })),
    ['no/such/file.json does not exist'],
  )
})

test('says everything that is wrong at once', () => {
  const problems = problemsOf(() =>
    fromFile('{"partitions": 0, "zone": "A B"}', { METERVEIL_FSYNC: 'x', METERVEIL_X: '1' }),
  )
  assert.equal(problems.length, 4)
  assert.match(new SettingsError(problems).message, /^4 settings are wrong:\n {2}\S/)
})

test('keys and variables are unique', () => {
  assert.equal(new Set(settingSpecs.map(({ key }) => key)).size, settingSpecs.length)
  assert.equal(new Set(settingSpecs.map(({ variable }) => variable)).size, settingSpecs.length)
})
