import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answeredError } from '../../../connectors/kafka/answered-error.ts'
import { failureOf, isAnsweredRetriable, isRetriable, toLogError } from '../../../connectors/kafka/errors.ts'
import { DeadlineError } from '../../../connectors/kafka/retry.ts'

/** As kafkajs makes them: names and fields, not classes, are what it promises. */
const named = (name: string, fields: object = {}): Error => Object.assign(new Error('Unit 1'), { name, ...fields })
const protocol = (code: number, type = 'SOME_TYPE') => named('KafkaJSProtocolError', { code, type })

for (const [what, error, code] of [
  ['a newer epoch', protocol(47, 'INVALID_PRODUCER_EPOCH'), 'fenced'],
  [
    'code 90, which kafkajs does not know',
    named('KafkaJSProtocolError', { code: -99, message: 'Unknown error code 90' }),
    'fenced',
  ],
  ['a forbidden topic', protocol(29), 'unauthorized'],
  ['a forbidden group', protocol(30), 'unauthorized'],
  ['a forbidden transactional id', protocol(53), 'unauthorized'],
  ['a coordinator that is not named, for whatever reason', named('KafkaJSGroupCoordinatorNotFound'), 'unknown_outcome'],
  [
    'no certificate',
    named('KafkaJSConnectionError', { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }),
    'unauthorized',
  ],
  ['an unknown authority', named('KafkaJSConnectionError', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'unauthorized'],
  ['a wrong password', named('KafkaJSSASLAuthenticationError'), 'unauthorized'],
  ['an offset out of range', protocol(1), 'offset_out_of_range'],
  ['an unknown topic', protocol(3), 'topic_unknown'],
  ['a batch that is too large', protocol(10), 'record_too_large'],
  ['a record that breaks a rule of its topic', protocol(87), 'record_invalid'],
  ['a sequence out of order', protocol(45), 'unknown_outcome'],
  ['a closed connection', named('KafkaJSConnectionClosedError'), 'unknown_outcome'],
  ['a request without answer', named('KafkaJSRequestTimeoutError'), 'unknown_outcome'],
  ['a deadline', new DeadlineError('late'), 'unknown_outcome'],
  ['a commit met by a commit under way', protocol(51), 'unknown_outcome'],
] as const) {
  test(`${what} is ${code}`, () => {
    assert.equal(toLogError(error, 'x', 'unknown_outcome').code, code)
    const wrapped = named('KafkaJSNumberOfRetriesExceeded', { cause: error, retriable: false })
    assert.equal(toLogError(wrapped, 'x', 'unknown_outcome').code, code, 'also after the retries of kafkajs')
    const several = named('KafkaJSAggregateError', { errors: [error, error] })
    assert.equal(toLogError(several, 'x', 'unknown_outcome').code, code, 'also among several')
  })
}

test('an answer for several partitions is told by its first error that says why, with the topics that have it', () => {
  const answer = {
    errors: [
      { topic: 'public', partitionErrors: [{ partition: 0, errorCode: 55 }] },
      { topic: 'raw', partitionErrors: [0, 1].map((partition) => ({ partition, errorCode: 29 })) },
      { topic: 'new', partitionErrors: [{ partition: 0, errorCode: 3 }] },
      { topic: 'bills', partitionErrors: [{ partition: 0, errorCode: 29 }] },
      { topic: 'fine', partitionErrors: [{ partition: 0, errorCode: 0 }] },
    ],
  }
  assert.deepEqual(answeredError(answer), { code: 29, topics: ['bills', 'raw'] })
  const topics = [{ topicName: 'raw', partitions: [{ partition: 3, errorCode: 6 }] }]
  assert.deepEqual(answeredError({ topics }), { code: 6, topics: ['raw'] })
  const topicMetadata = [{ topic: 'raw', topicErrorCode: 29, partitionMetadata: [] }]
  assert.deepEqual(answeredError({ topicMetadata }), { code: 29, topics: ['raw'] })
  const alone = [{ topic: 'public', partitionErrors: [{ partition: 0, errorCode: 55 }] }]
  assert.deepEqual(answeredError({ errors: alone }), { code: 55, topics: ['public'] })
  assert.equal(answeredError({ errors: [] }), undefined)
})

test('inside a transaction only what a broker answered is sent again', () => {
  for (const code of [51, 15, 16, 14, 6]) assert.equal(isAnsweredRetriable(failureOf(protocol(code))), true, `${code}`)
  for (const code of [47, 90, 45, 10, 29]) assert.equal(isRetriable(failureOf(protocol(code))), false, `${code}`)
  for (const name of [
    'KafkaJSConnectionClosedError',
    'KafkaJSConnectionError',
    'KafkaJSRequestTimeoutError',
    'DeadlineError',
  ]) {
    assert.equal(isAnsweredRetriable(failureOf(named(name))), false, name)
    assert.equal(isRetriable(failureOf(named(name))), true, name)
  }
})
