// A group that the register gains in the middle of a day: the day's plan is frozen without it.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { LoadPartial } from '../../../../schemas/load-partial.ts'
import type { Level } from '../../../../schemas/register-entry.ts'
import { drive, drivePublish } from '../../../helpers/release-driver.ts'
import {
  berlin,
  cell,
  group,
  groups,
  partial,
  publicCodec,
  registerOf,
  releaseOperator,
} from '../../../helpers/release-fixtures.ts'

const points = 2_000
const grown = [
  ...groups.map((one) => (one.level === 'feeder' ? one : { ...one, residential: one.residential + points })),
  group('feeder', 'feeder-9', 'substation-1', points),
]

/** Two days; from noon of the first on [readings] sends the new feeder, and [load] is restarted with a register of it. */
function run(after: typeof groups) {
  let register = registerOf(groups)
  const partials = Array.from({ length: 60 }, (_, n): LoadPartial[] => {
    const [day, hour] = [15 + Math.floor(n / 24), n % 24]
    const window = `2026-01-${day}T${String(hour).padStart(2, '0')}:00`
    const until = `2026-01-${day}T${String(hour).padStart(2, '0')}:45`
    const own = n >= 12 ? [cell(window, 7, { group: 'feeder-9' })] : []
    return [partial(0, n + 1, until, [cell(window, 10), ...own]), partial(1, n + 1, until)]
  }).flat()
  const { ledger } = drive({
    operator: releaseOperator({ register: { groups: (level) => register.groups(level) } }),
    partials,
    fate: (n) => {
      if (n !== 23) return 'commit'
      register = registerOf(after)
      return 'commit and die'
    },
  })
  return drivePublish(ledger).map(({ bytes }) => publicCodec.decode(bytes))
}

it('is released from the next local day on, and stops nothing', () => {
  const dates = (wanted: string) =>
    new Set(
      run(grown).flatMap(({ group: name, window }) =>
        name === wanted ? [new Date(window + 3_600_000).toISOString().slice(0, 10)] : [],
      ),
    )
  assert.deepEqual([...dates('feeder-9')], ['2026-01-16', '2026-01-17'])
  assert.deepEqual([...dates('feeder-1')], ['2026-01-15', '2026-01-16', '2026-01-17'])
})

it('is not told by what the groups above hold more than their other parts', () => {
  const reporting = 3_000
  const known = [
    group('utility', 'utility-1', null, 2 * reporting),
    group('region', 'region-1', 'utility-1', 2 * reporting),
    group('substation', 'substation-1', 'region-1', 2 * reporting),
    group('feeder', 'feeder-1', 'substation-1', reporting),
    group('feeder', 'feeder-2', 'substation-1', reporting),
  ]
  const gained = [
    ...known.map((one) => (one.level === 'feeder' ? one : { ...one, residential: one.residential + 1 })),
    group('feeder', 'feeder-9', 'substation-1', 1),
  ]
  let register = registerOf(known)
  const held = (level: Level, name: string, window: string, homes: number, more: number) => {
    const sums = { exactWh: homes * 200 + more, count: homes + (more > 0 ? 1 : 0), largestWh: Math.max(200, more) }
    return cell(window, 0, { level, group: name, ...sums, secondWh: 200, thirdWh: 200 })
  }
  const partials = Array.from({ length: 20 }, (_, n): LoadPartial[] => {
    const [window, until] = ['00', '45'].map((minute) => `2026-01-15T${String(n).padStart(2, '0')}:${minute}`)
    const more = n >= 12 ? 1_234 : 0
    const cells = [
      ...known.map(({ level, group: name }) =>
        level === 'feeder' ? held(level, name, window!, reporting, 0) : held(level, name, window!, 2 * reporting, more),
      ),
      ...(more > 0 ? [held('feeder', 'feeder-9', window!, 0, more)] : []),
    ]
    return [partial(0, n + 1, until!, cells), partial(1, n + 1, until!)]
  }).flat()
  const { restricted } = drive({
    operator: releaseOperator({ register: { groups: (level) => register.groups(level) } }),
    partials,
    fate: (n) => {
      if (n !== 22) return 'commit'
      register = registerOf(gained)
      return 'commit and die'
    },
  })
  const shown = (window: string) =>
    restricted.filter(
      (one) =>
        one.window === berlin(window) &&
        one.channel === 'import' &&
        one.phase === 'preliminary' &&
        one.energyWh !== null,
    )
  assert.equal(shown('2026-01-15T11:00').length, known.length)
  const after = shown('2026-01-15T13:00')
  const feeders = after.filter(({ level }) => level === 'feeder')
  assert.ok(after.length > 0 && feeders.length < 2, 'a whole stands beside all of its known parts')
})

it('halts [load] where its register does not know the group either', () => {
  assert.throws(() => run(groups), { message: /does not know/, reason: 'group_unknown' })
})
