import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

const nightly = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args], { encoding: 'utf8' })

it('the nightly script prints every statistic beside its limit, and the false-alarm rate', () => {
  const { stdout, stderr, status } = nightly('--draws', '1e5', 'uniform below 1,000')
  assert.equal(stderr, '')
  assert.equal(status, 0)
  assert.match(stdout, /^uniform below 1,000: 100,000 draws in [\d.]+ s$/m)
  assert.match(stdout, /^ {2}chi-square, 999 degrees +[\d.]+ {2}limit +1296\.43$/m)
  assert.match(stdout, /^ {2}Kolmogorov-Smirnov +[\d.]+ {2}limit +0\.0103480$/m)
  assert.match(stdout, /^3 tests, 0 failed, false-alarm rate of the whole run at most 3\.0e-9/m)
})

it('the nightly script says what it cannot do, and when it drew less than it was asked', () => {
  assert.equal(nightly('nosuchfamily').status, 2)
  assert.match(nightly('nosuchfamily').stderr, /uniform below 1,000/)
  assert.equal(nightly('--draws', 'many').status, 2)
  const { stdout } = nightly('--draws', '1e9', '--hours', '0.0001', 'uniform below 1,000')
  assert.match(stdout, /^1 of the families were too slow for 1,000,000,000 draws in 0\.0001 h/m)
})

it('the nightly script saves every statistic with its limit, the machine and the commit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightly-'))
  try {
    const file = join(folder, 'report.json')
    assert.equal(nightly('--draws', '1e4', '--save', file, 'geometric of scale 3').status, 0)
    const { bench, commit, cores, figures } = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(bench, 'nightly')
    assert.match(commit, /^[0-9a-f]{7,}|^unknown/)
    assert.ok(cores >= 1)
    assert.deepEqual(figures[0], { name: 'geometric of scale 3', value: 10_000, unit: 'draws', goal: '>= 10000' })
    assert.match(figures[1].name, /^geometric of scale 3: chi-square, \d+ degrees$/)
    assert.match(figures[1].goal, /^<= \d/)
    assert.equal(figures.length, 4)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
