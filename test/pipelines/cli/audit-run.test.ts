import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readAuditLines } from 'diffprivlib-ts/audit'
import { readWorld } from '../../../pipelines/cli/audit-world-file.ts'
import type { CliError } from '../../../pipelines/cli/errors.ts'
import { meterveil } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-audit-'))
after(() => rmSync(folder, { recursive: true }))
const [withPath, withoutPath] = [join(folder, 'with.json'), join(folder, 'without.json')]
type World = Record<string, unknown> & { readings: Record<string, unknown>[]; homes: Record<string, unknown>[] }
const world = (path: string): World => JSON.parse(readFileSync(path, 'utf8'))

const audit = (...args: readonly string[]) => meterveil(['audit-run', ...args])
const linesOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

before(() => {
  const { code, stdout, stderr } = audit('--write-example', folder)
  assert.equal(code, 0, stderr)
  assert.equal(stdout, `${withPath}\n${withoutPath}\n`)
})

describe('meterveil audit-run', () => {
  it('prints everything that the public topic shows of each run, and what is claimed', () => {
    const { code, stdout, stderr } = audit('--worlds', `${withPath},${withoutPath}`, '--runs', '2')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^with and without differ in 1 household-day: home-20 2026-01-15\.$/m)
    assert.match(
      stderr,
      /^Claimed for one household-day: rho 2435597\/100000000, epsilon 1\.0000 at delta \S+, mu 0\.2207\.$/m,
    )
    const lines = linesOf(stdout)
    // 24 windows in both phases and 5 of the next day, two channels, four groups.
    const records = 2 * 2 * (2 * 24 + 5) * 2 * 4
    for (const which of ['raw', 'consistent', 'smoothed', 'rest']) {
      assert.equal(lines.filter(({ id }) => String(id).endsWith(`/${which}`)).length, records)
    }
    assert.deepEqual(Object.keys(lines[0]!), ['world', 'run', 'id', 'rev', 'attempt', 'value', 't', 'bytes'])
    assert.ok(lines.every(({ attempt }) => attempt === 0))
    const rests = lines.filter(({ id }) => String(id).endsWith('/rest'))
    const byRelease = new Map<string, Set<unknown>>()
    for (const { id, rev, value } of rests) {
      const name = `${id} ${rev}`
      byRelease.set(name, (byRelease.get(name) ?? new Set()).add(value))
    }
    assert.ok([...byRelease.values()].every((values) => values.size === 1))
    const raws = lines.filter(({ id }) => String(id).endsWith('/raw')).map(({ value }) => value)
    assert.ok(new Set(raws).size > raws.length * 0.99)
    assert.ok(readAuditLines(stdout.trim().split('\n')).names.length > 100)
  })

  it('says the same of every run beside drawn values, also past the cut-off, where late values are expected', () => {
    const longer = [withPath, withoutPath].map((path) => {
      const { until, name, ...rest } = world(path)
      const later = new Date(Date.parse(String(until)) + 6 * 3_600_000).toISOString()
      const file = join(folder, `longer-${name}.json`)
      writeFileSync(file, JSON.stringify({ ...rest, name, until: later }))
      return file
    })
    const { code, stdout, stderr } = audit('--worlds', longer.join(','), '--runs', '2')
    assert.equal(code, 0, stderr)
    const lines = linesOf(stdout)
    const valuesOf = (end: string): ReadonlyMap<string, readonly unknown[]> => {
      const named = Map.groupBy(
        lines.filter(({ id }) => String(id).endsWith(end)),
        ({ id, rev }) => `${id} ${rev}`,
      )
      return new Map([...named].map(([name, group]) => [name, group.map(({ value }) => value)]))
    }
    for (const [name, values] of valuesOf('/rest')) assert.equal(new Set(values).size, 1, name)
    const expected = [...valuesOf('/expectedLate').values()].flat().filter((value) => value !== undefined)
    assert.ok(new Set(expected).size > 5, 'values from the draws of each run')
  })

  it('shows aborted copies after a crash, with the same bytes, and shares runs between threads', () => {
    const crash = ['--crash', 'publish:produce:after:1', '--values', 'raw', '--threads', '2']
    const { code, stdout, stderr } = audit('--worlds', `${withPath},${withoutPath}`, '--runs', '2', ...crash)
    assert.equal(code, 0, stderr)
    const lines = linesOf(stdout)
    const again = lines.filter(({ attempt }) => attempt === 1)
    assert.ok(again.length > 100)
    const first = new Map(
      lines
        .filter(({ attempt }) => attempt === 0)
        .map(({ world, run, id, rev, value }) => [`${world} ${run} ${id} ${rev}`, value]),
    )
    for (const { world, run, id, rev, value } of again) assert.equal(value, first.get(`${world} ${run} ${id} ${rev}`))
    assert.deepEqual(new Set(lines.map(({ run }) => run)), new Set([0, 1]))
  })

  for (const [what, change, sentence] of [
    ['a field that no world has', (w: World) => ({ ...w, extra: 1 }), /the world Unrecognized key: "extra"/],
    [
      'a reading of an unknown home',
      (w: World) => ({ ...w, readings: [{ ...w.readings[0], home: 'home-99' }] }),
      /readings\[0\]\.home is not among homes/,
    ],
    [
      'energy that is no whole number',
      (w: World) => ({ ...w, readings: [{ ...w.readings[0], wh: 1.5 }] }),
      /readings\[0\]\.wh /,
    ],
    ['a day that the calendar has not', (w: World) => ({ ...w, from: '2026-02-30T00:00:00Z' }), /from is no instant/],
    [
      'an unknown time zone',
      (w: World) => ({ ...w, timeZone: 'Europe/Atlantis' }),
      /timeZone must be an IANA time zone/,
    ],
    [
      'a home that is listed twice',
      (w: World) => ({ ...w, homes: [...w.homes, w.homes[0]] }),
      /homes\[20\]\.home names a home twice/,
    ],
    [
      'fewer registered points than homes',
      (w: World) => ({ ...w, registered: { 'feeder-1': 3 } }),
      /registered\.feeder-1 counts fewer points/,
    ],
    [
      'a reading that is received before it begins',
      (w: World) => ({
        ...w,
        readings: [{ ...w.readings[0], receivedAt: '2026-01-14T23:00:01Z', start: '2026-01-15T00:00:00Z' }],
      }),
      /receivedAt lies before start/,
    ],
    [
      'an end before the beginning',
      (w: World) => ({ ...w, until: '2026-01-14T22:00:00Z' }),
      /until must lie after from/,
    ],
    [
      'interval lengths that do not divide an hour',
      (w: World) => ({ ...w, readings: [{ ...w.readings[0], seconds: 1_000 }] }),
      /seconds must divide an hour/,
    ],
  ] as const) {
    it(`refuses ${what} in a sentence that names the place`, () => {
      const path = join(folder, 'faulty.json')
      writeFileSync(path, JSON.stringify(change(world(withPath))))
      assert.throws(
        () => readWorld(path),
        ({ message, exitCode }: CliError) =>
          exitCode === 2 && message.startsWith('faulty.json: ') && sentence.test(message),
      )
    })
  }

  it('refuses worlds that differ in what is public', () => {
    const path = join(folder, 'other.json')
    const { registered: _, ...rest } = world(withPath)
    writeFileSync(path, JSON.stringify({ ...rest, registered: { 'feeder-1': 7_000 } }))
    const { code, stderr } = audit('--worlds', `${path},${withoutPath}`)
    assert.equal(code, 2)
    assert.match(stderr, /differ in registered, which is public: only readings may differ/)
  })

  for (const [what, args, sentence] of [
    ['one world', ['--worlds', withPath], /An audit compares two worlds/],
    [
      'a text that is no JSON',
      ['--worlds', `${import.meta.filename},${withoutPath}`],
      /audit-run\.test\.ts is not valid JSON: see line 1, column 1/,
    ],
    ['a file that is not there', ['--worlds', `${join(folder, 'none.json')},${withoutPath}`], /none\.json/],
    ['no runs', ['--runs', '0'], /whole number from 1/],
    ['a crash at no step', ['--crash', 'publish:lunch:after:1'], /pipeline:step:before\|after:nth/],
    [
      'a crash that no run comes to',
      ['--worlds', `${withPath},${withoutPath}`, '--runs', '1', '--crash', 'publish:produce:after:9999'],
      /^Error: --crash: no crash: a run came to publish:produce:after \d+ times, and never to publish:produce:after:9999\.$/m,
    ],
    ['rho above 1', ['--worlds', `${withPath},${withoutPath}`, '--rho', '3/2'], /--rho: .*at most 1/],
    ['rho in words', ['--worlds', `${withPath},${withoutPath}`, '--rho', 'much'], /--rho: .*fraction/],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { code, stderr } = audit(...args)
      assert.notEqual(code, 0)
      assert.match(stderr, sentence)
    })
  }
})
