// `meterveil run` under rules of a file: an auditor who has register and rules comes to the plan that was charged.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { shippedRules } from '../../../operators/privacy/release/rules/shipped.ts'
import { bin, meterveil, start } from './command.ts'
import { writeFleet } from './fleet-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-rules-run-'))
after(() => rmSync(folder, { recursive: true }))

const neutral = shippedRules.get('neutral')!
const rule = { minCount: 2, maxShare: null, meanWhPerDay: 8_000 }
const rules = {
  ...neutral,
  name: 'lenient',
  classes: { residential: rule, commercial: rule, industrial: rule, large: rule },
  maxRelativeNoise: '1/1',
  coarser: [{ seconds: 3_600 }, { seconds: 86_400 }],
}

test('the plan of a day that was charged follows from register and rules, large users and longer windows too', async () => {
  const { env: fleet, input, lines, fleet: made } = writeFleet(folder, { homes: 12 })
  const entries = made.entries.map((entry, i) => (i < 2 ? { ...entry, fuseWhPerHour: 80_000 } : entry))
  writeFileSync(fleet.METERVEIL_REGISTER_FILE, lines(entries))
  const file = join(folder, 'rules.json')
  writeFileSync(file, JSON.stringify(rules))
  // Bounds so tight that the noise of twelve homes is near their load.
  const clips = {
    METERVEIL_CLIP_WH_FEEDER: '130',
    METERVEIL_CLIP_WH_SUBSTATION: '130',
    METERVEIL_CLIP_WH_REGION: '100',
  }
  const env = { ...fleet, ...clips, METERVEIL_CLIP_WH_UTILITY: '100', METERVEIL_RULES: file }
  const running = start(['run', '--input', input], env, bin)
  await running.shows('all processed.')
  const charged = () =>
    meterveil(['ledger', 'show', '--json'], env)
      .stdout.split('\n')
      .flatMap((line) => (line.includes('"kind":"day"') ? [JSON.parse(line) as { date: string; plan: string }] : []))
  for (let tries = 0; charged().length === 0; tries++) assert.ok(tries < 50, 'the day was not charged')
  running.process.kill('SIGINT')
  const { code, stderr } = await running.ended
  assert.equal(code, 130, stderr)

  const verified = meterveil(['ledger', 'verify'], env)
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  const [{ date, plan }] = charged() as [{ date: string; plan: string }]
  const check = (settings: Readonly<Record<string, string>>) =>
    meterveil(['rules', 'check', '--date', date, '--groups'], settings).stdout
  const own = check(env)
  assert.match(own, new RegExp(`as the charge of the day carries it: ${plan}$`, 'm'))
  assert.match(
    own,
    /^feeder\/utility-large-users: released by the day, 0 points of homes, 2 others, merged into utility\/utility$/m,
  )
  assert.match(own, /released by the (hour|day)/)
  assert.ok(!check({ ...env, METERVEIL_RULES: 'neutral' }).includes(plan))
})
