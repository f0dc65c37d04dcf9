import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createFleet, parseProfiles, readProfiles } from '../../../bench/fleet/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'profiles-'))
after(() => rmSync(folder, { recursive: true }))

/** Two weeks of two homes: home A counts the intervals, home B is always 7 with one gap. */
function csv(): string {
  const lines = ['interval_start,A,B']
  for (let i = 0; i < 2 * 336; i++) {
    const at = `${new Date(Date.UTC(2013, 0, 1) + i * 1_800_000).toISOString().slice(0, 16)}Z`
    lines.push(`${at},${i % 336},${i === 5 ? '' : 7}`)
  }
  return `${lines.join('\n')}\n`
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('reads plain and compressed files alike', () => {
  const plain = readProfiles(write('a.csv', csv()))
  assert.deepEqual(readProfiles(write('a.csv.gz', gzipSync(csv()))), plain)
  assert.equal(plain.start, Date.UTC(2013, 0, 1))
  assert.equal(plain.intervalSeconds, 1_800)
  assert.deepEqual(
    plain.homes.map((home) => [home.length, home[4], home[5]]),
    [
      [672, 4, 5],
      [672, 7, -1],
    ],
  )
})

const broken: readonly (readonly [string, (text: string) => string, RegExp])[] = [
  ['no header', (text) => text.slice(text.indexOf('\n') + 1), /line 1: the header must be interval_start/],
  ['a line that is cut off', (text) => text.slice(0, 600 * 22 + 20), /line \d+: .*the file is cut off; fetch it again/],
  [
    'a line with a field too few',
    (text) => text.replace(',9,7\n', ',9\n'),
    /line 11: 2 fields where the header has 3$/,
  ],
  ['a value that is no number', (text) => text.replace(',9,7\n', ',9x,7\n'), /line 11: field 2 is not a whole number/],
  ['a negative value', (text) => text.replace(',9,7\n', ',-1,7\n'), /line 11: field 2 is not a whole number/],
  ['a missing line', (text) => text.replace(/2013-01-01T05:00Z.*\n/, ''), /line 12: the interval does not follow/],
  [
    'a time in another form',
    (text) => text.replace('2013-01-01T05:00Z', '1.1.2013 5:00'),
    /line 12: the interval start must look like/,
  ],
  ['less than a week', (text) => text.split('\n').slice(0, 101).join('\n'), /at least one whole week/],
  ['one line only', (text) => text.split('\n').slice(0, 2).join('\n'), /at least two intervals/],
]

for (const [name, breakIt, message] of broken) {
  test(`refuses a file with ${name} in one sentence`, () => {
    assert.throws(() => parseProfiles(breakIt(csv()), 'homes.csv'), { name: 'ProfileError', message })
  })
}

test('refuses a compressed file that is cut off, and one that is not there', () => {
  const path = write('cut.csv.gz', gzipSync(csv()).subarray(0, 500))
  assert.throws(() => readProfiles(path), /the gzip file is damaged or cut off; fetch it again/)
  assert.throws(() => readProfiles(join(folder, 'none.csv')), /cannot read the profiles .*none.csv: give the path/)
})

test('homes of a fleet take real profiles, shifted by whole weeks and scaled', () => {
  const profiles = parseProfiles(csv(), 'homes.csv')
  const fleet = createFleet({ seed: 2, homes: 40, start: Date.UTC(2013, 0, 8), profiles })
  let counting = 0
  for (let home = 0; home < 40; home++) {
    const values = Array.from({ length: 48 }, (_, slot) => fleet.journal.valueWh(home, 'import', slot) as number)
    assert.equal(fleet.journal.valueWh(home, 'export', 0), undefined)
    const scale = (values[47] as number) / 47
    if (values[0] === values[47]) {
      assert.equal(new Set(values).size, 1)
      continue
    }
    counting++
    assert.ok(scale > 0.6 && scale < 1.6)
    values.forEach((value, i) => void assert.ok(Math.abs(value - scale * i) <= 1))
  }
  assert.ok(counting > 5 && counting < 35)
})

test('refuses profiles of another interval than the fleet’s', () => {
  const profiles = parseProfiles(csv(), 'homes.csv')
  assert.throws(
    () => createFleet({ seed: 2, homes: 4, start: Date.UTC(2013, 0, 8), intervalSeconds: 900, profiles }),
    /intervals of 1800 s, the fleet of 900 s/,
  )
})
