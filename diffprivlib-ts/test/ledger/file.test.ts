import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openPrivacyAccount } from '../../src/accounting/privacy-account.ts'
import { LedgerError } from '../../src/errors.ts'
import {
  createLedgerFile,
  createOver,
  type LedgerFile,
  openLedgerFile,
  openOver,
  verifyLedgerFile,
} from '../../src/ledger/file.ts'
import { integer, ratio } from '../../src/rational.ts'
import { account, chargeOf, conforms, neverForgets, resultOf } from './conformance.ts'
import { type Disk, disk, PowerFailure } from './unsafe-disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-ledger-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = (): string => join(folder, `${++files}.ledger`)

const filled = (): string => {
  const path = fresh()
  const ledger = createLedgerFile(path)
  for (const entry of [account, chargeOf('sum'), resultOf('sum'), chargeOf('count')]) ledger.append(entry)
  ledger.close()
  return path
}

describe('the ledger in a file', () => {
  conforms(() => {
    const path = fresh()
    const ledger = createLedgerFile(path)
    return {
      ledger,
      reopen: () => {
        ledger.close()
        return openLedgerFile(path)
      },
    }
  })

  it('is verified without being touched, and tells what it holds', () => {
    const path = filled()
    const before = readFileSync(path)
    const { accounts, charges, results, tornBytes, head } = verifyLedgerFile(path)
    assert.deepEqual([accounts, charges, results, tornBytes, head.sequence], [1, 2, 1, 0, 4])
    assert.deepEqual(readFileSync(path), before)
    const writer = openLedgerFile(path)
    verifyLedgerFile(path)
    writer.close()
  })

  it('is never taken for another, made twice, or made up', () => {
    const path = filled()
    assert.throws(() => createLedgerFile(path), /there is a file/)
    assert.throws(() => openLedgerFile(fresh()), /a lost ledger is not to be replaced/)
    writeFileSync(path, '')
    assert.throws(() => openLedgerFile(path), /no ledger/)
    assert.equal(existsSync(`${path}.lock`), false)
  })

  it('tells that it was cut or restored, to who kept its head', () => {
    const path = filled()
    const backup = `${path}.backup`
    copyFileSync(path, backup)
    const ledger = openLedgerFile(path)
    const atLeast = ledger.append(resultOf('count'))
    ledger.close()
    openLedgerFile(path, { atLeast }).close()
    assert.throws(() => openLedgerFile(backup, { atLeast }), /cut or restored/)
    assert.throws(() => verifyLedgerFile(filled(), { atLeast }), /cut or restored/)
  })
})

describe('a file cut at any byte', () => {
  it('opens with the whole lines, reports the rest, and goes on', () => {
    const path = filled()
    const whole = readFileSync(path)
    const header = whole.indexOf(0x0a) + 1
    for (let length = 0; length <= whole.length; length++) {
      const copy = fresh()
      copyFileSync(path, copy)
      truncateSync(copy, length)
      if (length < header) {
        assert.throws(() => openLedgerFile(copy), LedgerError)
        continue
      }
      const kept = whole.lastIndexOf(0x0a, length - 1) + 1
      assert.equal(verifyLedgerFile(copy).tornBytes, length - kept)
      const ledger = openLedgerFile(copy)
      assert.equal(ledger.tornBytes, length - kept)
      assert.equal(ledger.entries().length, whole.subarray(0, kept).filter((byte) => byte === 0x0a).length - 1)
      if (ledger.entries().length === 0) ledger.append(account)
      ledger.append(chargeOf('after'))
      ledger.close()
      assert.equal(verifyLedgerFile(copy).tornBytes, 0)
    }
  })

  it('or with zeros where blocks did not arrive, loses the last line only', () => {
    const path = filled()
    const bytes = readFileSync(path)
    const last = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1
    bytes.fill(0, last + 10, last + 40)
    writeFileSync(path, bytes)
    const ledger = openLedgerFile(path)
    assert.equal(ledger.tornBytes, bytes.length - last)
    ledger.close()
  })
})

describe('a file that was changed', () => {
  it('is refused for any one byte', () => {
    const path = filled()
    const whole = readFileSync(path)
    const copy = fresh()
    for (let i = 0; i < whole.length - 1; i += 3) {
      const changed = Buffer.from(whole)
      changed[i] = changed[i]! ^ 1
      writeFileSync(copy, changed)
      assert.throws(() => verifyLedgerFile(copy), LedgerError, `byte ${i}`)
    }
  })

  const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const rewritten: readonly [string, (lines: string[]) => string[], RegExp][] = [
    ['without one of its lines', (all) => all.toSpliced(2, 1), /line 3 .* missing, moved or altered/],
    ['with two lines exchanged', (all) => [all[0]!, all[2]!, all[1]!, ...all.slice(3)], /line 2 .* missing, moved/],
    ['with a line twice', (all) => [...all, all.at(-1)!], /line 6 .* missing, moved/],
    ['with a smaller charge', (all) => all.map((line) => line.replace('1/8', '1/9')), /line 3 .* hash does not fit/],
    ['with a line of another ledger', (all) => [...all.slice(0, 4), lines(filled())[4]!], /line 5 .* missing, moved/],
    ['without its header', (all) => all.slice(1), /line 1 .* missing, moved/],
    ['with words in between', (all) => [...all.slice(0, 2), 'hello', ...all.slice(2)], /line 3 .* form of a line/],
  ]
  for (const [what, change, sentence] of rewritten)
    it(`is refused ${what}`, () => {
      const path = filled()
      writeFileSync(path, `${change(lines(path)).join('\n')}\n`)
      assert.throws(() => verifyLedgerFile(path), sentence)
      assert.throws(() => openLedgerFile(path), sentence)
    })
})

describe('two writers', () => {
  it('are one too many, in one process or two', () => {
    const path = filled()
    const ledger = openLedgerFile(path)
    assert.throws(() => openLedgerFile(path), /a ledger has one writer/)
    const other = childProgram(`openLedgerFile(${JSON.stringify(path)})`)
    assert.match(
      spawnSync(process.execPath, ['--input-type=module', '-e', other], { encoding: 'utf8' }).stderr,
      /one writer/,
    )
    ledger.append(chargeOf('mine'))
    ledger.close()
    openLedgerFile(path).close()
  })

  it('do not write when the lock or the file is no longer theirs', () => {
    const path = filled()
    const ledger = openLedgerFile(path)
    const lock = readFileSync(`${path}.lock`, 'utf8')
    writeFileSync(`${path}.lock`, lock.replace(/"token":"./, '"token":"x'))
    assert.throws(() => ledger.append(chargeOf('late')), /no longer this process's/)
    assert.throws(() => ledger.append(chargeOf('later')), /open it anew/)
    rmSync(`${path}.lock`)
    const second = openLedgerFile(path)
    writeFileSync(path, `${readFileSync(path, 'utf8')}x`)
    assert.throws(() => second.append(chargeOf('late')), /another writer is at work/)
    second.close()
  })

  it('wait for an owner that cannot be known to have ended, and follow one that has', () => {
    const path = filled()
    const ledger = openLedgerFile(path)
    const owner = JSON.parse(readFileSync(`${path}.lock`, 'utf8')) as Record<string, unknown>
    ledger.close()
    const under = (change: Record<string, unknown>) => {
      writeFileSync(`${path}.lock`, JSON.stringify({ ...owner, token: 'other', ...change }))
      return () => openLedgerFile(path).close()
    }
    assert.throws(under({ host: 'elsewhere' }), /on elsewhere holds this ledger/)
    writeFileSync(`${path}.lock`, 'torn')
    assert.throws(() => openLedgerFile(path), /cannot be read: delete it/)
    under({ pid: 2 ** 22 + 1 })()
    if (process.platform !== 'linux') return
    assert.throws(under({ pidNamespace: 'pid:[1]' }), /holds this ledger/)
    under({ boot: 'before' })()
    under({ began: '1' })()
  })
})

const module = new URL('../../src/ledger/file.ts', import.meta.url).href
const childProgram = (body: string): string =>
  `import * as fs from 'node:fs'; import { createLedgerFile, openLedgerFile, openOver } from '${module}'; ${body}`

describe('a process that is killed', () => {
  it('between write and fsync leaves a ledger that opens, with its lock taken over', async () => {
    const path = fresh()
    const ledger = createLedgerFile(path)
    for (const entry of [account, chargeOf('before')]) ledger.append(entry)
    ledger.close()
    // The child says that it has written, and waits inside fsync to be killed.
    const program = childProgram(`
      let armed = false
      const files = { ...fs, fsyncSync: (file) => {
        if (!armed) return fs.fsyncSync(file)
        fs.writeSync(1, 'written')
        for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
      } }
      const ledger = openOver(${JSON.stringify(path)}, {}, files)
      armed = true
      ledger.append(${JSON.stringify(chargeOf('during'))})
      fs.writeSync(1, 'counted')`)
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    assert.equal(said.toString(), 'written')
    assert.throws(() => openLedgerFile(path), /one writer/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const next = openLedgerFile(path)
    const labels = next.entries().flatMap((entry) => (entry.kind === 'charge' ? [entry.label] : []))
    // The write may have arrived though its charge never counted: then it counts from now on, on the safe side.
    assert.deepEqual(labels.slice(0, 1), ['before'])
    assert.ok(labels.length <= 2)
    next.close()
  })
})

/** Appends charges on a disk that strikes after so many steps, and says what the next process finds; undefined once nothing struck. */
const strike =
  (flaws: { readonly ignoresFsync?: boolean; readonly bytesAtOnce?: number }, keep: (unsynced: number) => number) =>
  (steps: number) => {
    const path = fresh()
    const first: Disk = disk(new Map(), flaws)
    const ledger: LedgerFile = createOver(path, first.files)
    let returned = 0
    let struck = false
    first.strikeAfter(steps)
    try {
      for (const entry of [account, chargeOf('a'), chargeOf('b'), chargeOf('c')]) {
        ledger.append(entry)
        returned += 1
      }
    } catch (error) {
      assert.ok((error as Error).cause instanceof PowerFailure)
      assert.throws(() => ledger.append(chargeOf('z')), /open it anew/)
      struck = true
    }
    first.strikeAfter(Number.POSITIVE_INFINITY)
    ledger.close()
    const second = first.crash(keep)
    let found = 0
    try {
      const next = openOver(path, {}, second.files)
      found = next.entries().length
      next.close()
    } catch (error) {
      // The disk lost even the file.
      if (!(error instanceof LedgerError)) throw error
    }
    return struck || steps === 0 ? { returned, found } : undefined
  }

describe('power that fails after any step', () => {
  for (const [what, keep] of [
    ['nothing', () => 0],
    ['half', (unsynced: number) => unsynced >> 1],
    ['all', (unsynced: number) => unsynced],
  ] as const)
    it(`with ${what} of the unsynced bytes kept takes no charge that had returned`, () => {
      assert.deepEqual(neverForgets(strike({}, keep)), [])
      assert.deepEqual(neverForgets(strike({ bytesAtOnce: 50 }, keep)), [])
    })

  it('is seen to take them where fsync does nothing', () => {
    assert.match(neverForgets(strike({ ignoresFsync: true }, () => 0)).join('\n'), /charges had returned, 0 are there/)
  })
})

describe('an account over a file', () => {
  it('draws no noise when the charge is not durable', () => {
    const path = fresh()
    const volatile = disk()
    const ledger = createOver(path, volatile.files)
    const cap = { rho: integer(1) }
    const own = openPrivacyAccount({ neighbours: 'add-remove', cap, ledger })
    const loss = { kind: 'zcdp', neighbours: 'add-remove', rho: ratio(1n, 4n) } as const
    for (const steps of [0, 1]) {
      volatile.strikeAfter(steps)
      assert.throws(() => own.release('day', `try ${steps}`, loss, () => assert.fail('drawn')), LedgerError)
      assert.equal(own.charged('day', `try ${steps}`), false)
    }
    volatile.strikeAfter(Number.POSITIVE_INFINITY)
    ledger.close()
  })
})
