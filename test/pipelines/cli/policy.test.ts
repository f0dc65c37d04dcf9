// Proposed bounds at the command line: from released and synthetic data alone.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { meterveil } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-policy-'))
after(() => rmSync(folder, { recursive: true }))
const file = (name: string, lines: readonly unknown[]): string => {
  const path = join(folder, name)
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}
const badDays = join(folder, 'bad.ndjson')
writeFileSync(badDays, `${JSON.stringify(new Array(48).fill(500))}\n[1,\n`)
interface Proposal {
  readonly level: string
  readonly homes: number
  readonly present: { readonly clipWh: number; readonly error: number }
  readonly proposed: { readonly clipWh: number; readonly error: number }
}
const proposalsOf = (stdout: string): Proposal[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Proposal)

const released = (level: string, group: string, registered: number, rawWh: number | null) => ({
  level,
  group,
  registered,
  rawWh,
  channel: 'import',
  windowSeconds: 1_800,
})

describe('policy propose', () => {
  it('tells noise and bias of the present and the proposed bound, and the settings to take over', () => {
    const { code, stdout } = meterveil(['policy', 'propose', '--homes', 'feeder=1000', 'utility=1000000'])
    assert.equal(code, 0)
    assert.match(stdout, /no measured value was read/)
    assert.match(stdout, /^feeder +present +1,000 +10,000/m)
    const found = /settings: (\{.*\})$/m.exec(stdout)!
    const { policy } = JSON.parse(found[1]!) as { policy: { clipWhPerHalfHour: Record<string, number> } }
    assert.deepEqual(Object.keys(policy.clipWhPerHalfHour), ['utility', 'feeder'])
    assert.ok(policy.clipWhPerHalfHour['feeder']! < policy.clipWhPerHalfHour['utility']!)
  })

  it('takes groups and mean load from released records', () => {
    const records = [
      released('feeder', 'f1', 3_000, 900_000),
      released('feeder', 'f2', 5_000, null),
      released('feeder', 'f3', 4_000, 1_200_000),
      released('utility', 'u', 12_000, 3_600_000),
    ]
    const { code, stdout } = meterveil(['policy', 'propose', '--released', file('public.ndjson', records), '--json'])
    assert.equal(code, 0)
    const proposals = proposalsOf(stdout)
    assert.deepEqual(
      proposals.map(({ level, homes }) => [level, homes]),
      [
        ['utility', 12_000],
        ['feeder', 4_000],
      ],
    )
    for (const { present, proposed } of proposals) assert.ok(proposed.error <= present.error)
  })

  it('takes synthetic days from a file', () => {
    const days = file('days.ndjson', [new Array(48).fill(500)])
    const { stdout } = meterveil(['policy', 'propose', '--days', days, '--homes', 'region=10000000', '--json'])
    assert.equal(proposalsOf(stdout)[0]!.proposed.clipWh, 3_500)
  })

  it('prints an epoch beside those that there are', () => {
    const epochs = [
      { from: '2026-11-01', clipWhPerHalfHour: { feeder: 9_000 }, capRule: 'fuse, at most 17250 Wh per hour' },
      { from: '2027-06-01', clipWhPerHalfHour: { region: 16_000 } },
    ]
    const settings = file('epochs.json', [{ policy: { epochs } }])
    const propose = (from: string) => {
      const { code, stdout } = meterveil([
        'policy',
        'propose',
        '--homes',
        'feeder=1000',
        '--from',
        from,
        '--settings',
        settings,
      ])
      assert.equal(code, 0)
      assert.match(stdout, /^feeder +present +1,000 +9,000/m)
      assert.match(stdout, /Noise depends on S alone/)
      assert.match(stdout, /^feeder +by halves +1,000 +[\d,]+/m)
      assert.match(stdout, /at most half of what is left"/)
      return JSON.parse(/settings: (\{.*\})$/m.exec(stdout)![1]!) as { policy: { epochs: (typeof epochs)[number][] } }
    }
    const { policy } = propose('2027-01-01')
    assert.deepEqual(
      policy.epochs.map(({ from }) => from),
      ['2026-11-01', '2027-01-01', '2027-06-01'],
    )
    assert.deepEqual([policy.epochs[0], policy.epochs[2]], epochs)
    assert.deepEqual(Object.keys(policy.epochs[1]!.clipWhPerHalfHour), ['feeder'])
    const again = propose('2026-11-01').policy.epochs
    assert.deepEqual(again, [{ ...epochs[0], clipWhPerHalfHour: policy.epochs[1]!.clipWhPerHalfHour }, epochs[1]])
    // What is printed is taken as it is.
    const pasted = file('pasted.json', [{ policy }])
    const { stdout } = meterveil(['policy', 'show', '--settings', pasted, '--json'])
    assert.equal(stdout.trim().split('\n').length, 4)
  })

  it('proposes for the rule of C in force, and nothing by halves where that is the rule', () => {
    const settings = file('halves.json', [
      { policy: { epochs: [{ from: '2026-11-01', capRule: 'fuse, at most half of what is left' }] } },
    ])
    const args = ['--homes', 'feeder=3000', '--from', '2026-12-01', '--settings', settings]
    const { code, stdout } = meterveil(['policy', 'propose', ...args])
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /halves/)
    assert.match(meterveil(['policy', 'show', '--settings', settings]).stdout, /^2026-11-01 .* fuse +half$/m)
  })

  it('needs a date where bounds change by date', () => {
    const settings = file('dated.json', [{ policy: { epochs: [{ from: '2026-11-01' }] } }])
    const { code, stderr } = meterveil(['policy', 'propose', '--homes', 'feeder=9', '--settings', settings])
    assert.equal(code, 2)
    assert.match(stderr, /--from/)
  })

  const wrong: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
    ['no homes', [], /needs the homes of a group/],
    ['a level that is none', ['--homes', 'street=10'], /street=10 is no level and count/],
    ['a count that is none', ['--homes', 'feeder=x'], /feeder=x is no level and count/],
    ['a file that is not there', ['--released', join(folder, 'none')], /none does not exist\./],
    [
      'readings for records',
      ['--released', file('readings.ndjson', [{ wh: 3 }])],
      /Line 1 of \S+readings\.ndjson is no record of load\.public/,
    ],
    [
      'records without load',
      ['--released', file('dry.ndjson', [released('feeder', 'f', 9, null)])],
      /no released load/,
    ],
    ['a date that is none', ['--from', '2026-02-30', '--homes', 'feeder=9'], /2026-02-30 is no date/],
    [
      'days of another length',
      ['--days', file('short.ndjson', [[1]]), '--homes', 'feeder=9'],
      /Line 1 of \S+short\.ndjson is no household-day/,
    ],
    ['a line that is no JSON', ['--days', badDays, '--homes', 'feeder=9'], /Line 2 of \S+bad\.ndjson is not JSON/],
  ]
  for (const [what, args, says] of wrong) {
    it(`refuses ${what}`, () => {
      const { code, stderr } = meterveil(['policy', 'propose', ...args])
      assert.equal(code, 2)
      assert.match(stderr, says)
    })
  }
})

describe('policy show', () => {
  const epochs = [
    { from: '2026-11-01', clipWhPerHalfHour: { feeder: 8_000 }, capRule: 'fuse, at most 9000 Wh per hour' },
  ]
  const settings = file('show.json', [{ policy: { epochs } }])

  it('lists what holds from which date on', () => {
    const { code, stdout } = meterveil(['policy', 'show', '--settings', settings])
    assert.equal(code, 0)
    assert.match(stdout, /^the start +20,000 +15,000 +12,000 +10,000 +fuse +all$/m)
    assert.match(stdout, /^2026-11-01 +20,000 +15,000 +12,000 +8,000 +9,000 +all$/m)
  })

  it('tells bounds and noise of a date', () => {
    const on = (date: string) => {
      const { stdout } = meterveil(['policy', 'show', '--on', date, '--settings', settings, '--json'])
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      return rows.find(({ level }) => level === 'feeder')!
    }
    const [before, after] = [on('2026-10-31'), on('2026-11-01')]
    assert.deepEqual([before['clipWh'], before['capRule']], [10_000, 'fuse'])
    assert.deepEqual([after['clipWh'], after['capRule']], [8_000, 'fuse, at most 9000 Wh per hour'])
    // 1.959964 S / sqrt(2 rho) with a quarter of 0.02435597.
    assert.deepEqual([before['half95Wh'], after['half95Wh']], [177_608, 142_086])
  })

  it('refuses a date that is none', () => {
    const { code, stderr } = meterveil(['policy', 'show', '--on', 'today'])
    assert.equal(code, 2)
    assert.match(stderr, /today is no date/)
  })
})
