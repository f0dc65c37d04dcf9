import assert from 'node:assert/strict'
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { expectationOf, type FrameRecord, type Json } from '../../../operators/decode-dlms/expect.ts'
import { withheld, withholdValues } from '../../../pipelines/cli/decode-tree.ts'
import { meterveil, root } from './command.ts'

const fixture = (name: string) => `test/fixtures/frames/${name}.json`
const recordsOf = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8')) as readonly FrameRecord[]
const allFixtures = globSync('test/fixtures/frames/*.json', { cwd: root })

const folder = mkdtempSync(join(tmpdir(), 'meterveil-decode-'))
after(() => rmSync(folder, { recursive: true }))
const write = (name: string, content: string | Uint8Array, mode = 0o600) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

test('prints one JSON line for each record, in the shape of its expect', () => {
  const { code, stdout } = meterveil(['decode', '--json', '--show-values', fixture('kamstrup')])
  assert.equal(code, 0)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  assert.deepEqual(
    lines,
    recordsOf(fixture('kamstrup')).map((record) =>
      JSON.parse(JSON.stringify({ id: record.id, ...expectationOf(record) })),
    ),
  )
})

/** Facts that must not be seen without being asked for, gathered independently of the list of what may be. */
function secretsOf(facts: Json, name = ''): readonly string[] {
  if (facts === null || typeof facts !== 'object') {
    const secret = /^(raw|value|hex|plaintext|systemTitle|respondingTitle|text|blockData|trailingBytes|iso)$/.test(name)
    return secret && String(facts).length >= 6 ? [String(facts)] : []
  }
  return Object.entries(facts).flatMap(([key, inner]) => secretsOf(inner as Json, Array.isArray(facts) ? name : key))
}

test('withholds values, titles and plaintext of every captured frame, in both modes', () => {
  for (const path of allFixtures) {
    const secrets = recordsOf(path).flatMap((record) => secretsOf(expectationOf(record)))
    for (const flags of [['--json'], []]) {
      const { code, stdout, stderr } = meterveil(['decode', ...flags, path])
      assert.equal(code, 0, stderr)
      const seen = secrets.filter((secret) => stdout.includes(secret))
      // A value may be written like a fact that is shown, an OBIS code for instance.
      assert.deepEqual(
        seen.filter((secret) => !/^[\d.:-]+$/.test(secret)),
        [],
        path,
      )
      for (const { key, authKey } of recordsOf(path)) {
        for (const one of [key, authKey]) assert.ok(!one || !stdout.toLowerCase().includes(one.toLowerCase()))
      }
    }
  }
})

test('withholds a fact that nobody has thought about yet', () => {
  assert.deepEqual(withholdValues({ apdu: 'x', customerReference: 'A-1', list: [{ nickname: 1 }] }), {
    apdu: 'x',
    customerReference: withheld,
    list: [{ nickname: withheld }],
  })
})

test('shows a frame given as hex digits as a tree', () => {
  const record = recordsOf(fixture('aidon')).find(({ transport }) => transport === 'hdlc') as FrameRecord
  const { code, stdout } = meterveil(['decode', '--show-values', record.hex])
  assert.equal(code, 0)
  assert.match(stdout, /argument {2}hdlc, \d+ bytes\nbyte 0: message data-notification, protection none, tag absent\n/)
  assert.match(stdout, /1-0:1\.7\.0\.255 {2}double-long-unsigned {2}\S+ k?W/)
})

test('says why a frame is refused', () => {
  const record = recordsOf(fixture('malformed')).find(
    (one) => expectationOf(one)['error'] === 'hdlc-fcs',
  ) as FrameRecord
  const { code, stdout } = meterveil(['decode', record.hex])
  assert.equal(code, 0)
  assert.match(stdout, /fcs_mismatch\. The HDLC frame check sequence is wrong\./)
})

const ciphered = recordsOf(fixture('wrapper-gas'))[0] as FrameRecord

test('takes a frame from a file of hex digits, of raw bytes, of JSON lines', () => {
  const files = [
    write('frame.hex', `${ciphered.hex.replaceAll(/(..)/g, '$1 ')}\n`),
    write('frame.bin', Buffer.from(ciphered.hex, 'hex')),
    write('frame.jsonl', `${JSON.stringify(ciphered)}\n${JSON.stringify(ciphered)}\n`),
  ]
  for (const file of files) {
    const { code, stdout, stderr } = meterveil(['decode', '--json', file])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"wrapper":\{"version":1/)
  }
})

test('decrypts with keys from files, and refuses a wrong one', () => {
  const file = write('ciphered.hex', ciphered.hex)
  const key = write('key.hex', `${ciphered.key}\n`)
  const authKey = write('auth.hex', ciphered.authKey ?? '')
  const right = meterveil(['decode', file, '--key', key, '--auth-key', authKey])
  assert.match(right.stdout, /message data-notification, protection authenticated-encrypted, tag verified/)
  const other = write('other.hex', '00'.repeat(16))
  const wrong = meterveil(['decode', file, '--key', other, '--auth-key', authKey])
  assert.equal(wrong.code, 0)
  assert.match(wrong.stdout, /refused authentication_failed/)
})

const refused: readonly {
  readonly says: string
  readonly args: () => readonly string[]
  readonly stderr: RegExp
}[] = [
  { says: 'an odd number of digits', args: () => ['abc'], stderr: /neither a file nor an even number of hex digits/ },
  { says: 'an empty file', args: () => [write('empty', '')], stderr: /is empty/ },
  {
    says: 'truncated JSON',
    args: () => [write('cut.json', '[{"id": "a", "hex": "7e')],
    stderr: /Line 1 of cut\.json is not JSON/,
  },
  {
    says: 'a record without bytes',
    args: () => [write('r.json', '[{"id":"a","transport":"hdlc"}]')],
    stderr: /r\.json\[0\] has no hex digits under hex/,
  },
  {
    says: 'a record of another link',
    args: () => [write('t.json', '[{"transport":"lora","hex":"00"}]')],
    stderr: /a transport other than hdlc, /,
  },
  { says: 'a list of numbers', args: () => [write('n.json', '[1]')], stderr: /n\.json\[0\] is no object/ },
  {
    says: 'a key that others may read',
    args: () => ['00', '--key', write('open.hex', 'ab'.repeat(16), 0o644)],
    stderr: /open\.hex has mode 644: run chmod 600 open\.hex/,
  },
  {
    says: 'a key of a wrong length',
    args: () => ['00', '--key', write('short.hex', 'abab')],
    stderr: /short\.hex does not hold 32 or 64 hex digits/,
  },
  {
    says: 'a key on the command line',
    args: () => ['00', '--key', 'ab'.repeat(16)],
    stderr: /A key is read from a file, never from the command line/,
  },
]
for (const { says, args, stderr } of refused) {
  test(`refuses ${says}, and repeats no key`, () => {
    const finished = meterveil(['decode', ...args()])
    assert.ok(finished.code === 1 || finished.code === 2)
    assert.match(finished.stderr, stderr)
    assert.equal(finished.stdout, '')
    assert.ok(!finished.stderr.includes('abab'))
  })
}
