// Settings of a deployment over services that end `run` before anybody is asked.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { meterveil } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-start-settings-'))
after(() => rmSync(folder, { recursive: true }))
const password = join(folder, 'password')
writeFileSync(password, 'secret-4711', { mode: 0o600 })

/** Nobody listens there: a test that gets so far fails. */
const nobody = '127.0.0.1:1'
const env = {
  METERVEIL_KAFKA_BROKERS: nobody,
  METERVEIL_KAFKA_TLS: 'true',
  METERVEIL_KAFKA_SASL_MECHANISM: 'scram-sha-512',
  METERVEIL_KAFKA_SASL_USERNAME: 'pipelines',
  METERVEIL_KAFKA_SASL_PASSWORD_FILE: password,
  METERVEIL_REGISTRY_URL: `https://${nobody}`,
  METERVEIL_REDIS_NODES: nobody,
  METERVEIL_REDIS_TLS: 'true',
  METERVEIL_KEYRING_FOLDER: folder,
}

const wrong = (...problems: readonly string[]) =>
  [
    problems.length === 1 ? 'A setting is wrong:' : `${problems.length} settings are wrong:`,
    ...problems.map((problem) => `  ${problem}`),
    'Correct them and start again; docs/operator.md lists every setting.',
    '',
  ].join('\n')

const cases: readonly {
  readonly says: string
  readonly change: Readonly<Record<string, string | undefined>>
  readonly args?: readonly string[]
  readonly stderr: string
  readonly code?: number
}[] = [
  {
    says: 'plaintext listeners in production',
    change: {
      METERVEIL_KAFKA_TLS: 'false',
      METERVEIL_REGISTRY_URL: `http://${nobody}`,
      METERVEIL_REDIS_TLS: undefined,
    },
    stderr: wrong(
      'kafka.tls is not set, and mode "production" refuses a plaintext listener: set kafka.tls to true, or mode to "development"',
      'registry.url is a plain http address, which mode "production" refuses: use https, or set mode to "development"',
      'redis.tls is not set, and mode "production" refuses a plaintext listener: set redis.tls to true, or mode to "development"',
    ),
  },
  {
    says: 'what run needs beside Kafka, all of it at once',
    change: {
      METERVEIL_REGISTRY_URL: undefined,
      METERVEIL_REDIS_NODES: undefined,
      METERVEIL_REDIS_TLS: undefined,
      METERVEIL_KEYRING_FOLDER: undefined,
      METERVEIL_REGISTER_FILE: 'register.jsonl',
    },
    stderr: wrong(
      'registry.url (METERVEIL_REGISTRY_URL) is missing: run needs it beside kafka.brokers',
      'redis.nodes (METERVEIL_REDIS_NODES) is missing: run needs it beside kafka.brokers',
      'keyringFolder (METERVEIL_KEYRING_FOLDER) is missing: run needs it beside kafka.brokers',
      'registerFile and kafka.brokers are two places for one register: run npx meterveil register load with the file, and unset registerFile',
    ),
  },
  {
    says: 'publish without the time zone that the register would tell',
    change: { METERVEIL_KEYRING_FOLDER: undefined },
    args: ['run', 'publish'],
    stderr: wrong('timeZone (METERVEIL_TIME_ZONE) is missing: publish and forecast do not read the register'),
  },
  {
    says: 'a password file that others may read',
    change: { METERVEIL_REDIS_PASSWORD_FILE: 'open' },
    stderr: wrong('redis.passwordFile cannot be used: open has mode 644: run chmod 600 open'),
  },
  {
    says: 'a password in a setting',
    change: { METERVEIL_REDIS_NODES: 'redis://:secret-4711@redis:6379' },
    stderr: wrong('METERVEIL_REDIS_NODES must be addresses host:port, as a list or separated by commas'),
  },
  {
    says: 'a key ring that is not there',
    change: {},
    stderr:
      'Error: the key folder has no master.key: make it with openssl rand -hex 32 > master.key and chmod 600 master.key\n',
    code: 1,
  },
  {
    says: 'an unknown pipeline',
    change: {},
    args: ['run', 'reading'],
    stderr:
      'Error: There is no pipeline reading.\nDid you mean readings? There are readings, load, publish, forecast.\n',
  },
  {
    says: 'a register command without Kafka',
    change: Object.fromEntries(Object.keys(env).map((name) => [name, undefined])),
    args: ['register', 'show'],
    stderr: wrong(
      'kafka.brokers (METERVEIL_KAFKA_BROKERS) is missing: the register is a topic of Kafka',
      'registry.url (METERVEIL_REGISTRY_URL) is missing: it says how the topic is to be read',
    ),
  },
]

describe('settings that end the start', () => {
  writeFileSync(join(folder, 'open'), 'secret-4711', { mode: 0o644 })
  for (const { says, change, args = ['run'], stderr, code = 2 } of cases) {
    test(says, () => {
      const given = Object.entries({ ...env, ...change }).flatMap(([name, value]) => {
        if (value === undefined) return []
        return [[name, value === 'open' ? join(folder, value) : value]]
      })
      const finished = meterveil(args, Object.fromEntries(given))
      assert.equal(finished.stderr, stderr)
      assert.equal(finished.stdout, '')
      assert.equal(finished.code, code)
      assert.doesNotMatch(finished.stderr, /4711/)
    })
  }
})
