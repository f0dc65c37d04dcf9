import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connectionsOf, kafkaOptionsOf, redisOptionsOf, registryOptionsOf } from '../../../pipelines/cli/connections.ts'
import { readSettings } from '../../../pipelines/runtime/settings.ts'
import { SettingsError } from '../../../pipelines/runtime/settings-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-connections-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const write = (name: string, text: string, mode = 0o600) => {
  writeFileSync(at(name), text)
  chmodSync(at(name), mode)
  return at(name)
}
const certificate = (name: string) => {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`)]
  execFileSync('openssl', ['req', '-x509', ...key, '-out', at(`${name}.crt`), '-days', '2', '-subj', `/CN=${name}`], {
    stdio: 'ignore',
  })
  chmodSync(at(`${name}.key`), 0o600)
}
certificate('own')
certificate('other')
const text = (name: string) => readFileSync(at(name), 'utf8')
const password = 'p%ss:w@rd/ü'
write('password', `${password}\n`)
const allOfThem = {
  METERVEIL_KAFKA_BROKERS: 'broker:9093',
  METERVEIL_KAFKA_TLS: 'true',
  METERVEIL_KAFKA_CA_FILE: at('other.crt'),
  METERVEIL_KAFKA_CERT_FILE: at('own.crt'),
  METERVEIL_KAFKA_KEY_FILE: at('own.key'),
  METERVEIL_KAFKA_SASL_MECHANISM: 'plain',
  METERVEIL_KAFKA_SASL_USERNAME: 'pipeline',
  METERVEIL_KAFKA_SASL_PASSWORD_FILE: at('password'),
  METERVEIL_REGISTRY_URL: 'https://registry:8081/apis/ccompat/v7',
  METERVEIL_REGISTRY_USERNAME: 'pipeline',
  METERVEIL_REGISTRY_PASSWORD_FILE: at('password'),
  METERVEIL_REDIS_NODES: '[::1]:6379',
  METERVEIL_REDIS_TLS: 'true',
  METERVEIL_REDIS_CA_FILE: at('other.crt'),
  METERVEIL_REDIS_PASSWORD_FILE: at('password'),
}
const settings = (change: Record<string, string> = {}) => readSettings({ env: { ...allOfThem, ...change } })

describe('connections', () => {
  test('hold what the files hold', () => {
    assert.deepEqual(kafkaOptionsOf(settings()), {
      brokers: ['broker:9093'],
      compression: 'none',
      ssl: { ca: text('other.crt'), cert: text('own.crt'), key: text('own.key') },
      sasl: { mechanism: 'plain', username: 'pipeline', password },
    })
    assert.deepEqual(redisOptionsOf(settings()), {
      nodes: [{ host: '::1', port: 6_379 }],
      cluster: false,
      keyPrefix: 'meterveil',
      tls: { ca: text('other.crt') },
      password,
    })
    const url = new URL(registryOptionsOf(settings())?.url ?? '')
    assert.deepEqual(
      [url.username, decodeURIComponent(url.password), url.host],
      ['pipeline', password, 'registry:8081'],
    )
  })

  test('are none where nothing is named', () => {
    assert.deepEqual(connectionsOf(readSettings({ env: {} })), {
      kafka: undefined,
      registry: undefined,
      redis: undefined,
    })
  })

  const wrong: readonly (readonly [string, () => Record<string, string>, readonly string[]])[] = [
    [
      'a password file that others may read',
      () => ({ METERVEIL_REDIS_PASSWORD_FILE: write('open', 'secret-4711', 0o640) }),
      ['redis.passwordFile cannot be used: open has mode 640: run chmod 600 open'],
    ],
    [
      'an empty password file',
      () => ({ METERVEIL_KAFKA_SASL_PASSWORD_FILE: write('empty', '\n') }),
      ['kafka.sasl.passwordFile cannot be used: empty is empty'],
    ],
    [
      'several files at once',
      () => ({
        METERVEIL_KAFKA_CA_FILE: at('nowhere.crt'),
        METERVEIL_REGISTRY_PASSWORD_FILE: at('nowhere'),
        METERVEIL_REDIS_CA_FILE: write('text.crt', 'secret-4711'),
      }),
      [
        'kafka.caFile cannot be used: nowhere.crt does not exist',
        'registry.passwordFile cannot be used: the folder of registry.passwordFile has no nowhere: write the secret into it, and chmod 600 it',
        'redis.caFile cannot be used: text.crt holds no certificate in PEM',
      ],
    ],
    [
      'the key of another certificate',
      () => ({ METERVEIL_KAFKA_KEY_FILE: at('other.key') }),
      ['kafka.keyFile cannot be used: other.key is not the key of the certificate'],
    ],
    [
      'a key that is none',
      () => ({ METERVEIL_KAFKA_KEY_FILE: write('none.key', 'secret-4711') }),
      ['kafka.keyFile cannot be used: none.key holds no unencrypted private key in PEM'],
    ],
  ]
  for (const [says, change, problems] of wrong) {
    test(`refuse ${says}, and tell nothing of their content`, () => {
      assert.throws(
        () => connectionsOf(settings(change())),
        (error) => {
          assert.ok(error instanceof SettingsError)
          assert.deepEqual(error.problems, problems)
          return !error.message.includes('4711')
        },
      )
    })
  }
})
