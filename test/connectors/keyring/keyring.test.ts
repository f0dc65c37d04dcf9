import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { format, inspect } from 'node:util'
import { fileKeyring, KeyringError, memoryKeyring } from '../../../connectors/keyring/index.ts'
import type { Keyring } from '../../../operators/contract/keyring.ts'

const master = '8f'.repeat(32)
const encryption = '000102030405060708090a0b0c0d0e0f'
const authentication = 'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf'
const meter = JSON.stringify({ ref: 'm-1', encryption, authentication })

let folder = ''
const path = (name: string): string => join(folder, name)
const write = (name: string, content: string | Uint8Array, mode = 0o600): void => {
  writeFileSync(path(name), content)
  chmodSync(path(name), mode)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyring-'))
  write('master.key', `${master}\n`)
  write('meters.jsonl', `${meter}\n`)
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('fileKeyring', () => {
  test('holds the keys of each meter by reference', () => {
    write('meters.jsonl', `${meter}\n\n{"ref":"m-2","encryption":"${'ab'.repeat(32)}"}`)
    const keyring = fileKeyring(folder)
    assert.equal(keyring.meterKeys('m-1')?.encryption.export().toString('hex'), encryption)
    assert.equal(keyring.meterKeys('m-1')?.authentication?.export().toString('hex'), authentication)
    assert.equal(keyring.meterKeys('m-2')?.encryption.symmetricKeySize, 32)
    assert.equal(keyring.meterKeys('m-2')?.authentication, undefined)
    assert.equal(keyring.meterKeys('m-3'), undefined)
  })

  test('takes the master key raw or as hex, and derives the same keys', () => {
    const fromHex = fileKeyring(folder).derived('pseudonym', '2026-03-29')
    write('master.key', Buffer.from(master, 'hex'), 0o400)
    const fromRaw = fileKeyring(folder).derived('pseudonym', '2026-03-29')
    assert.ok(fromHex !== undefined && fromRaw !== undefined && fromHex.equals(fromRaw))
  })

  const refused: readonly {
    readonly name: string
    readonly prepare: () => void
    readonly says: RegExp
  }[] = [
    {
      name: 'a master key that others can read',
      prepare: () => chmodSync(path('master.key'), 0o644),
      says: /mode 644: run chmod 600 master\.key/,
    },
    {
      name: 'meter keys that the group can read',
      prepare: () => chmodSync(path('meters.jsonl'), 0o640),
      says: /chmod 600 meters\.jsonl/,
    },
    {
      name: 'an executable key file',
      prepare: () => chmodSync(path('master.key'), 0o700),
      says: /mode 700: run chmod/,
    },
    {
      name: 'a symbolic link',
      prepare: () => {
        rmSync(path('master.key'))
        write('elsewhere', master)
        symlinkSync(path('elsewhere'), path('master.key'))
      },
      says: /master\.key is a symbolic link: put the file itself/,
    },
    {
      name: 'a named pipe, without waiting for a writer',
      prepare: () => {
        rmSync(path('meters.jsonl'))
        execFileSync('mkfifo', ['-m', '600', path('meters.jsonl')])
      },
      says: /meters\.jsonl is not a regular file/,
    },
    {
      name: 'a folder without a master key',
      prepare: () => rmSync(path('master.key')),
      says: /has no master\.key: make it with openssl rand/,
    },
    {
      name: 'a folder without meter keys',
      prepare: () => rmSync(path('meters.jsonl')),
      says: /has no meters\.jsonl: make it with one line/,
    },
    {
      name: 'a master key of 31 bytes',
      prepare: () => write('master.key', new Uint8Array(31)),
      says: /32 bytes, or 64 hex digits/,
    },
    {
      name: 'a master key of 64 other characters',
      prepare: () => write('master.key', 'x'.repeat(64)),
      says: /32 bytes, or 64 hex digits/,
    },
    {
      name: 'a line that is no JSON',
      prepare: () => write('meters.jsonl', `${meter}\n{"ref": SECRET`),
      says: /^line 2 of meters\.jsonl is not JSON/,
    },
    {
      name: 'an unknown field',
      prepare: () => write('meters.jsonl', `{"ref":"a","encryption":"${encryption}","key":"SECRET"}`),
      says: /^line 1 .* only$/,
    },
    { name: 'a list', prepare: () => write('meters.jsonl', '[]'), says: /needs|has no ref|must be an object/ },
    {
      name: 'a meter without reference',
      prepare: () => write('meters.jsonl', `{"encryption":"${encryption}"}`),
      says: /has no ref/,
    },
    {
      name: 'a key of another length',
      prepare: () => write('meters.jsonl', '{"ref":"a","encryption":"0001"}'),
      says: /encryption key of 32 or 64/,
    },
    {
      name: 'a key that is not hex',
      prepare: () => write('meters.jsonl', `{"ref":"a","encryption":"${'SE'.repeat(16)}"}`),
      says: /encryption key of 32 or 64/,
    },
    {
      name: 'a faulty authentication key',
      prepare: () => write('meters.jsonl', `{"ref":"a","encryption":"${encryption}","authentication":7}`),
      says: /authentication key of 32 or 64/,
    },
    {
      name: 'a reference twice',
      prepare: () => write('meters.jsonl', `${meter}\n${meter}`),
      says: /^line 2 .* repeats the ref/,
    },
  ]
  for (const { name, prepare, says } of refused) {
    test(`refuses ${name}, says what to do and no secret`, () => {
      prepare()
      assert.throws(
        () => fileKeyring(folder),
        (error: Error) => {
          assert.ok(error instanceof KeyringError)
          assert.match(error.message, says)
          const shown = `${inspect(error)}${error.message}`
          for (const secret of [master, encryption, authentication, 'SECRET', folder]) {
            assert.equal(error.message.includes(secret), false)
          }
          assert.equal(shown.includes(encryption) || shown.includes(master) || shown.includes('SECRET'), false)
          return true
        },
      )
    })
  }

  test('refuses a file of another user', { skip: process.getuid?.() !== 0 && 'only root can make one' }, () => {
    execFileSync('chown', ['12345', path('master.key')])
    assert.throws(() => fileKeyring(folder), {
      name: 'KeyringError',
      message: /belongs to another user: run chown 0 master\.key/,
    })
  })
})

describe('derived keys', () => {
  const keyring = memoryKeyring({ master: Buffer.from(master, 'hex') })

  test('are HKDF-SHA-256 of the master key, always the same', () => {
    const key = keyring.derived('pseudonym', '2026-03-29')
    assert.equal(key?.export().toString('hex'), known)
    assert.equal(keyring.derived('pseudonym', '2026-03-29'), key)
  })

  test('differ by purpose and by epoch', () => {
    const keys = [
      keyring.derived('pseudonym', '2026-03-29'),
      keyring.derived('pseudonym', '2026-03-30'),
      keyring.derived('ledger_digest', '2026-03-29'),
      keyring.derived('dead_letter', '2026-03-29'),
    ].map((key) => key?.export().toString('hex'))
    assert.equal(new Set(keys).size, 4)
    assert.equal(keys.includes(undefined), false)
  })

  test('stay the same when the cache has forgotten them', () => {
    const first = keyring.derived('ledger_digest', 'first')
    for (let i = 0; i < 5_000; i += 1) keyring.derived('ledger_digest', `epoch ${i}`)
    const again = keyring.derived('ledger_digest', 'first')
    assert.ok(first !== undefined && again?.equals(first) && again !== first)
  })

  test('do not exist without a master key', () => {
    assert.equal(memoryKeyring({}).derived('pseudonym', '2026-03-29'), undefined)
  })
})

describe('a keyring that is printed', () => {
  const ways: readonly { readonly name: string; readonly print: (keyring: Keyring) => string }[] = [
    { name: 'by inspection', print: (keyring) => inspect(keyring, { depth: 9, showHidden: true }) },
    { name: 'inside another object', print: (keyring) => format('%o', { keyring }) },
    { name: 'as text', print: (keyring) => String(keyring) },
    { name: 'as JSON', print: (keyring) => JSON.stringify({ keyring }) },
  ]
  for (const { name, print } of ways) {
    test(`${name} shows <redacted> and no key`, () => {
      const bytes = Buffer.from(encryption, 'hex')
      const shown = print(
        memoryKeyring({ master: Buffer.from(master, 'hex'), meters: [{ ref: 'm-1', encryption: bytes }] }),
      )
      assert.match(shown, /<redacted>/)
      for (const secret of [encryption, master.slice(0, 12), 'm-1']) assert.equal(shown.includes(secret), false)
    })
  }

  test('shows no key bytes of one meter either', () => {
    const keys = memoryKeyring({ meters: [{ ref: 'm', encryption: Buffer.from(encryption, 'hex') }] }).meterKeys('m')
    const shown = inspect(keys, { depth: 9, showHidden: true }) + JSON.stringify(keys)
    assert.equal(/0001020304|00 01 02 03/.test(shown), false)
  })
})

/** Computed from the two HMAC steps of RFC 5869 with another library. */
const known = '714fc0e4f0e7028e119df1189d94ddb5766b976e3d21365d5345677e97a7730b'
