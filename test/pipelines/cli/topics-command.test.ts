import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readPrincipals } from '../../../pipelines/cli/topics-open.ts'
import { meterveil } from './command.ts'

describe('the file of principals', () => {
  const cases: readonly (readonly [string, string, RegExp | undefined])[] = [
    [
      'names some roles, and the others keep their default',
      '{"analyst": ["User:CN=a", "User:CN=b"], "support": []}',
      undefined,
    ],
    ['is JSON', '{', /it is not valid JSON: see line 1, column 2/],
    ['is one object', '[]', /must hold one JSON object/],
    ['knows its roles', '{"analist": []}', /analist is no role; did you mean analyst\?$/],
    ['lists principals', '{"analyst": "User:a"}', /analyst must be a list of principals/],
    ['keeps readers apart', '{"auditor": ["User:pipelines"]}', /User:pipelines is both auditor and readings/],
  ]
  for (const [name, content, refused] of cases) {
    test(name, () => {
      if (refused)
        assert.throws(() => readPrincipals('roles.json', () => content), { name: 'CliError', message: refused })
      else {
        const read = readPrincipals('roles.json', () => content)
        assert.deepEqual([read.analyst, read.support, read.auditor], [['User:CN=a', 'User:CN=b'], [], ['User:auditor']])
      }
    })
  }
})

describe('meterveil topics', () => {
  test('needs brokers', () => {
    const { code, stderr } = meterveil(['topics', 'plan'])
    assert.equal(code, 2)
    assert.match(stderr, /kafka\.brokers is not set/)
  })

  test('says soon that no broker answers, and what to do', () => {
    const env = { METERVEIL_KAFKA_BROKERS: '127.0.0.1:1', METERVEIL_MODE: 'development' }
    const { code, stderr } = meterveil(['topics', 'plan'], env)
    assert.equal(code, 1)
    assert.match(stderr, /no broker answers at 127\.0\.0\.1:1: start Kafka, or correct kafka\.brokers/)
  })
})
