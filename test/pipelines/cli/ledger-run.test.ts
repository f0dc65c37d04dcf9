// `meterveil run` with a pinned head: begun, followed, and held to.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bin, meterveil, start } from './command.ts'
import { writeFleet } from './fleet-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-pinned-'))
after(() => rmSync(folder, { recursive: true }))

test('run begins a pin, follows the ledger with it, and halts over another ledger or without it', async () => {
  const { env: fleet, input } = writeFleet(folder)
  const pin = join(folder, 'head.pin')
  const env = { ...fleet, METERVEIL_LEDGER_PIN_FILE: pin }
  const data = env.METERVEIL_DATA_FOLDER
  const runOnce = async (settings: Record<string, string>) => {
    const running = start(['run', '--input', input], settings, bin)
    await running.shows('all processed.')
    // The day is charged by then or soon after: the ledger is read beside the process that writes it.
    let tries = 0
    while (!/"kind":"day"/.test(meterveil(['ledger', 'show', '--json'], settings).stdout)) {
      assert.ok(tries++ < 50, 'the day was not charged')
    }
    running.process.kill('SIGINT')
    const { code, stderr } = await running.ended
    assert.equal(code, 130, stderr)
  }
  await runOnce(env)
  const verified = meterveil(['ledger', 'verify', '--json', '--pin', pin], env)
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  const pinned = JSON.parse(verified.stdout.trim().split('\n').at(-1)!)
  assert.deepEqual([pinned.kind, pinned.seq], ['pinned', pinned.before], 'the pin had followed to the very head')
  assert.equal(JSON.parse(readFileSync(pin, 'utf8')).seq, pinned.seq)

  cpSync(pin, `${pin}.kept`)
  rmSync(pin)
  const without = meterveil(['run', 'load'], env)
  assert.equal(without.code, 3, without.stderr)
  assert.match(without.stderr, /release\.ledger holds \d+ links, but head\.pin, which pins its head, is not there/)
  assert.match(without.stderr, /^Reason: pin_missing\. npx meterveil ledger explain pin_missing says/m)

  // Another history: a ledger that was begun anew, and charged otherwise.
  rmSync(data, { recursive: true })
  await runOnce({ ...fleet, METERVEIL_RHO_PER_DAY: '1/100' })
  renameSync(`${pin}.kept`, pin)
  const replaced = meterveil(['ledger', 'verify', '--pin', pin], env)
  assert.equal(replaced.code, 1)
  assert.match(replaced.stdout, /another link than the one that was pinned/)
  const over = meterveil(['run', 'load'], env)
  assert.equal(over.code, 3, over.stderr)
  assert.match(over.stderr, /release\.ledger holds another link \d+ than the one that was pinned/)
  assert.match(over.stderr, /^Reason: pin_differs\./m)
})
