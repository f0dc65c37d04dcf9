import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings } from '../../../pipelines/runtime/settings.ts'
import { SettingsError } from '../../../pipelines/runtime/settings-error.ts'
import { settingSpecs } from '../../../pipelines/runtime/settings-specs.ts'

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
    groupPartitions: 1,
    mode: 'production',
    kafka: undefined,
    registry: undefined,
    redis: undefined,
    assignment: { by: 'group' },
    threads: 1,
    keyringFolder: undefined,
    registerFile: undefined,
    ledgerPinFile: undefined,
    holidaysFile: undefined,
    weatherFile: undefined,
    acceptLostInput: [],
    attributesSince: undefined,
    attributes: { k: undefined, maxSuppressed: undefined, l: undefined },
    metricsPort: undefined,
    zone: 'main',
    timeZone: undefined,
    horizonDays: 14,
    policy: { clipWhPerHalfHour: {}, epochs: [], rhoPerDay: undefined, rules: undefined, selection: undefined },
  })
})

test('reads every setting of a process of its own from the environment', () => {
  const settings = readSettings({
    env: {
      METERVEIL_DATA_FOLDER: 'data',
      METERVEIL_FSYNC: 'none',
      METERVEIL_PARTITIONS: '16',
      METERVEIL_GROUP_PARTITIONS: '2',
      METERVEIL_MODE: 'development',
      METERVEIL_ASSIGNMENT: 'group',
      METERVEIL_KEYRING_FOLDER: 'keys',
      METERVEIL_REGISTER_FILE: 'register.ndjson',
      METERVEIL_LEDGER_PIN_FILE: 'head.pin',
      METERVEIL_HOLIDAYS_FILE: 'holidays.json',
      METERVEIL_WEATHER_FILE: 'weather.csv',
      METERVEIL_ACCEPT_LOST_INPUT: 'meter.frames[3]@300..500, meter.frames[4]@7..0',
      METERVEIL_ATTRIBUTES_SINCE: '2026-01',
      METERVEIL_ATTRIBUTES_K: '30',
      METERVEIL_ATTRIBUTES_MAX_SUPPRESSED: '0',
      METERVEIL_ATTRIBUTES_L: '2',
      METERVEIL_METRICS_PORT: '0',
      METERVEIL_ZONE: 'north-2',
      METERVEIL_TIME_ZONE: 'Europe/Berlin',
      METERVEIL_HORIZON_DAYS: '7',
      METERVEIL_CLIP_WH_UTILITY: '20000',
      METERVEIL_CLIP_WH_REGION: '15000',
      METERVEIL_CLIP_WH_SUBSTATION: '12000',
      METERVEIL_CLIP_WH_FEEDER: '8000',
      METERVEIL_RHO_PER_DAY: '1/100',
      METERVEIL_RULES: 'rules.json',
      METERVEIL_SELECTION_PRE_THRESHOLD: '100',
      METERVEIL_SELECTION_SHARE: '1/10',
      METERVEIL_SELECTION_POINTS_AT_CONNECTION: '2',
      METERVEIL_DEBUG: '1',
    },
  })
  assert.deepEqual(settings, {
    dataFolder: 'data',
    fsync: 'none',
    partitions: 16,
    groupPartitions: 2,
    mode: 'development',
    kafka: undefined,
    registry: undefined,
    redis: undefined,
    assignment: { by: 'group' },
    threads: 1,
    keyringFolder: 'keys',
    registerFile: 'register.ndjson',
    ledgerPinFile: 'head.pin',
    holidaysFile: 'holidays.json',
    weatherFile: 'weather.csv',
    acceptLostInput: ['meter.frames[3]@300..500', 'meter.frames[4]@7..0'],
    attributesSince: '2026-01',
    attributes: { k: 30, maxSuppressed: 0, l: 2 },
    metricsPort: 0,
    zone: 'north-2',
    timeZone: 'Europe/Berlin',
    horizonDays: 7,
    policy: {
      clipWhPerHalfHour: { utility: 20_000, region: 15_000, substation: 12_000, feeder: 8_000 },
      epochs: [],
      rhoPerDay: '1/100',
      rules: 'rules.json',
      selection: { share: '1/10', delta: '1/100000000000', preThreshold: 100, pointsAtConnection: 2 },
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
  { says: 'an unknown level', text: '{"policy":{"clipWhPerHalfHour":{"street":1}}}', problem: /street is no setting/ },
  { says: 'an unknown empty group', text: '{"polices": {}}', problem: /polices is no setting/ },
  { says: 'a group in place of a number', text: '{"partitions": {}}', problem: /partitions must be .*, and is \{\}/ },
  { says: 'a number in place of a group', text: '{"policy": 3}', problem: /policy is no setting/ },
  { says: 'a time zone that is none', text: '{"timeZone": "Europe/Lndon"}', problem: /timeZone must be an IANA time/ },
  { says: 'a loss of another topic', text: '{"acceptLostInput": ["a[0]@3..5"]}', problem: /must be losses such as/ },
  { says: 'a number as text', text: '{"partitions": "8"}', problem: /a whole number from 1 to 1,024, and is "8"/ },
  { says: 'an infinite number', text: '{"partitions": 1e999}', problem: /partitions must be .*, and is Infinity/ },
  { says: 'a fraction', text: '{"partitions": 1.5}', problem: /partitions must be a whole number/ },
  { says: 'a number out of range', text: '{"metricsPort": 70000}', problem: /from 0 to 65,535, and is 70000/ },
  { says: 'null', text: '{"zone": null}', problem: /zone must be up to 32 .*, and is null/ },
  { says: 'a list', text: '{"zone": ["a"]}', problem: /zone must be/ },
  { says: 'another fsync', text: '{"fsync": "always"}', problem: /fsync must be "commit" or "none", and is "always"/ },
  { says: 'a rho above the cap', text: '{"policy": {"rhoPerDay": "1/41"}}', problem: /at most 2435597\/100000000/ },
  { says: 'a rho of nothing', text: '{"policy": {"rhoPerDay": "0/1"}}', problem: /rhoPerDay must be/ },
  { says: 'a rho over zero', text: '{"policy": {"rhoPerDay": "1/0"}}', problem: /rhoPerDay must be/ },
  { says: 'a rho as a number', text: '{"policy": {"rhoPerDay": 0.01}}', problem: /rhoPerDay must be/ },
  { says: 'a bound of nothing', text: '{"policy":{"clipWhPerHalfHour":{"feeder":0}}}', problem: /from 100 to 1,000/ },
  { says: 'text that is not JSON', text: '{partitions: 8}', problem: /is not valid JSON: see line 1, column 2/ },
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

const nodeList = '127.0.0.1:9092, broker-2.example:9093,[::1]:9094'
const secured: Readonly<Record<string, string>> = {
  METERVEIL_KAFKA_BROKERS: nodeList,
  METERVEIL_KAFKA_TLS: 'true',
  METERVEIL_KAFKA_CA_FILE: 'ca.crt',
  METERVEIL_KAFKA_SASL_MECHANISM: 'scram-sha-512',
  METERVEIL_KAFKA_SASL_USERNAME: 'pipeline',
  METERVEIL_KAFKA_SASL_PASSWORD_FILE: 'kafka.password',
  METERVEIL_KAFKA_COMPRESSION: 'zstd',
  METERVEIL_KAFKA_REPLICATION_FACTOR: '3',
  METERVEIL_REGISTRY_URL: 'https://registry.example:8081/apis/ccompat/v7',
  METERVEIL_REGISTRY_USERNAME: 'pipeline',
  METERVEIL_REGISTRY_PASSWORD_FILE: 'registry.password',
  METERVEIL_REGISTRY_CERT_FILE: 'own.crt',
  METERVEIL_REGISTRY_KEY_FILE: 'own.key',
  METERVEIL_REDIS_NODES: nodeList,
  METERVEIL_REDIS_CLUSTER: 'true',
  METERVEIL_REDIS_TLS: 'true',
  METERVEIL_REDIS_USERNAME: 'pipeline',
  METERVEIL_REDIS_PASSWORD_FILE: 'redis.password',
  METERVEIL_REDIS_KEY_PREFIX: 'north',
  METERVEIL_ASSIGNMENT: 'ordinal',
  METERVEIL_ORDINAL: '2',
  METERVEIL_WORKERS: '3',
}
const noFiles = { caFile: undefined, certFile: undefined, keyFile: undefined }

test('reads where Kafka, registry and Redis are, and who this process is', () => {
  const { kafka, registry, redis, assignment } = readSettings({ env: secured })
  assert.deepEqual(kafka, {
    brokers: ['127.0.0.1:9092', 'broker-2.example:9093', '[::1]:9094'],
    tls: true,
    ...noFiles,
    caFile: 'ca.crt',
    sasl: { mechanism: 'scram-sha-512', username: 'pipeline', passwordFile: 'kafka.password' },
    compression: 'zstd',
    replicationFactor: 3,
  })
  assert.deepEqual(registry, {
    url: 'https://registry.example:8081/apis/ccompat/v7',
    user: { username: 'pipeline', passwordFile: 'registry.password' },
    ...noFiles,
    certFile: 'own.crt',
    keyFile: 'own.key',
  })
  assert.deepEqual(redis, {
    nodes: [
      { host: '127.0.0.1', port: 9_092 },
      { host: 'broker-2.example', port: 9_093 },
      { host: '::1', port: 9_094 },
    ],
    cluster: true,
    tls: true,
    ...noFiles,
    username: 'pipeline',
    passwordFile: 'redis.password',
    keyPrefix: 'north',
  })
  assert.deepEqual(assignment, { by: 'ordinal', ordinal: 2, workers: 3 })
})

test('a list in the file is a list', () => {
  const text = '{"mode": "development", "kafka": {"brokers": ["a:1", "b:2"], "tls": false}}'
  assert.deepEqual(fromFile(text).kafka?.brokers, ['a:1', 'b:2'])
})

const contradictions: readonly {
  readonly says: string
  readonly change: Readonly<Record<string, string | undefined>>
  readonly problems: readonly string[]
}[] = [
  {
    says: 'plaintext in production',
    change: {
      METERVEIL_KAFKA_TLS: undefined,
      METERVEIL_KAFKA_CA_FILE: undefined,
      METERVEIL_REGISTRY_URL: 'http://registry.example:8081',
      METERVEIL_REGISTRY_CERT_FILE: undefined,
      METERVEIL_REGISTRY_KEY_FILE: undefined,
      METERVEIL_REDIS_TLS: 'false',
    },
    problems: [
      'kafka.tls is not set, and mode "production" refuses a plaintext listener: set kafka.tls to true, or mode to "development"',
      'registry.url is a plain http address, which mode "production" refuses: use https, or set mode to "development"',
      'redis.tls is not set, and mode "production" refuses a plaintext listener: set redis.tls to true, or mode to "development"',
    ],
  },
  {
    says: 'files of a TLS that is not spoken',
    change: { METERVEIL_KAFKA_TLS: undefined, METERVEIL_MODE: 'development' },
    problems: ['kafka.caFile means nothing without kafka.tls: set both'],
  },
  {
    says: 'half a key pair',
    change: { METERVEIL_REGISTRY_KEY_FILE: undefined },
    problems: ['registry.keyFile is missing: it belongs to registry.certFile'],
  },
  {
    says: 'a user without a password',
    change: { METERVEIL_KAFKA_SASL_PASSWORD_FILE: undefined, METERVEIL_REDIS_PASSWORD_FILE: undefined },
    problems: [
      'kafka.sasl.passwordFile is missing: it belongs to kafka.sasl.mechanism and kafka.sasl.username',
      'redis.passwordFile is missing: it belongs to redis.username',
    ],
  },
  {
    says: 'registry and Redis without Kafka',
    change: Object.fromEntries(
      Object.keys(secured).map((name) => [name, /KAFKA|ORDINAL|ASSIGN|WORKERS/.test(name) ? undefined : secured[name]]),
    ),
    problems: [
      'registry.url means nothing without kafka.brokers: set both',
      'redis.nodes means nothing without kafka.brokers: set both',
    ],
  },
  {
    says: 'settings of a service that is not named',
    change: Object.fromEntries(
      Object.keys(secured).map((name) => [name, name === 'METERVEIL_KAFKA_TLS' ? 'true' : undefined]),
    ),
    problems: ['kafka.tls means nothing without kafka.brokers: set both'],
  },
  {
    says: 'two places for the log',
    change: { METERVEIL_DATA_FOLDER: 'data' },
    problems: ['dataFolder and kafka.brokers are two places for one log: unset one of them'],
  },
  {
    says: 'threads of a log inside the process',
    change: {
      ...Object.fromEntries(Object.keys(secured).map((name) => [name, undefined])),
      METERVEIL_ASSIGNMENT: undefined,
      METERVEIL_ORDINAL: undefined,
      METERVEIL_WORKERS: undefined,
      METERVEIL_THREADS: '2',
    },
    problems: ['threads above 1 needs kafka.brokers: a log inside the process belongs to one thread'],
  },
  {
    says: 'a worker beyond the last',
    change: { METERVEIL_ORDINAL: '3' },
    problems: ['ordinal must be below workers, and is 3 of 3: the first worker is 0'],
  },
  {
    says: 'an ordinal assignment without an ordinal',
    change: { METERVEIL_ORDINAL: undefined, METERVEIL_WORKERS: undefined },
    problems: ['ordinal is missing: assignment is "ordinal"', 'workers is missing: assignment is "ordinal"'],
  },
  {
    says: 'an ordinal that the group would ignore',
    change: { METERVEIL_ASSIGNMENT: undefined },
    problems: [
      'ordinal means nothing without assignment "ordinal": set both',
      'workers means nothing without assignment "ordinal": set both',
    ],
  },
  {
    says: 'a value that is wrong only as wrong',
    change: { METERVEIL_KAFKA_BROKERS: 'broker' },
    problems: ['METERVEIL_KAFKA_BROKERS must be addresses host:port, as a list or separated by commas'],
  },
]

for (const { says, change, problems } of contradictions) {
  test(`refuses ${says}`, () => {
    assert.deepEqual(
      problemsOf(() => readSettings({ env: { ...secured, ...change } })),
      problems,
    )
  })
}

test('a password in a setting is refused and not repeated', () => {
  const secret = 'hunter2'
  for (const [variable, value] of [
    ['METERVEIL_REGISTRY_URL', `https://pipeline:${secret}@registry.example`],
    ['METERVEIL_REDIS_NODES', `redis://:${secret}@redis.example:6379`],
    ['METERVEIL_KAFKA_BROKERS', `pipeline:${secret}@broker.example:9092`],
    ['METERVEIL_KAFKA_SASL_PASSWORD', secret],
    ['METERVEIL_KAFKA_SASL_USERNAME', `pipeline:${secret}`],
  ] as const) {
    const problems = problemsOf(() => readSettings({ env: { ...secured, [variable]: value } }))
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.ok(problems[0]?.startsWith(variable), problems[0])
    assert.ok(!problems[0]?.includes(secret), problems[0])
  }
})

test('keys and variables are unique', () => {
  assert.equal(new Set(settingSpecs.map(({ key }) => key)).size, settingSpecs.length)
  assert.equal(new Set(settingSpecs.map(({ variable }) => variable)).size, settingSpecs.length)
})
