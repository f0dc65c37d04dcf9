import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeOffsetFetch, encodeOffsetFetch } from '../../../connectors/kafka/offset-fetch.ts'

test('a request asks for the stable offset of one partition', () => {
  assert.equal(
    encodeOffsetFetch('g', 'tt', 258).toString('hex'),
    ['00', '0267', '02', '037474', '02', '00000102', '00', '01', '00'].join(''),
  )
})

test('a name may be longer than one byte can say', () => {
  const encoded = encodeOffsetFetch('g'.repeat(200), 't', 0)
  assert.deepEqual([...encoded.subarray(1, 3)], [0xc9, 0x01])
  assert.equal(encoded.subarray(3, 203).toString(), 'g'.repeat(200))
  assert.equal(encoded[203], 2)
})

/** Tags of the head, throttling, one topic with one partition, the code of the whole, tags. */
const answer = (partition: readonly string[], errorCode = '0000', tags = '00') =>
  Buffer.from([tags, '00000000', '02', '037474', '02', ...partition, '00', errorCode, '00'].join(''), 'hex')
const partition = (offset: string, { metadata = '00', errorCode = '0000', tags = '00' } = {}) => [
  '00000000',
  offset,
  'ffffffff',
  metadata,
  errorCode,
  tags,
]

for (const [what, bytes, expected] of [
  ['an offset', answer(partition('000000000000002a')), { next: 42n, errorCode: 0 }],
  [
    'an offset with a note',
    answer(partition('0000000000000001', { metadata: '0461626d' })),
    { next: 1n, errorCode: 0 },
  ],
  ['no offset', answer(partition('ffffffffffffffff', { metadata: '01' })), { next: -1n, errorCode: 0 }],
  [
    'an undecided transaction',
    answer(partition('ffffffffffffffff', { errorCode: '0058' })),
    { next: -1n, errorCode: 88 },
  ],
  ['a coordinator that moved', Buffer.from('000000000001001000', 'hex'), { next: -1n, errorCode: 16 }],
  [
    'tags of later versions',
    answer(partition('0000000000000007', { tags: '0109020102' }), '0000', '01050142'),
    { next: 7n, errorCode: 0 },
  ],
] as const) {
  test(`an answer with ${what} is read`, () => {
    assert.deepEqual(decodeOffsetFetch(bytes), expected)
  })
}
