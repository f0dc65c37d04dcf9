// A group that the register gains in the middle of a day: the day's plan is frozen without it.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { LoadPartial } from '../../../../schemas/load-partial.ts'
import { drive, drivePublish } from '../../../helpers/release-driver.ts'
import {
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

it('halts [load] where its register does not know the group either', () => {
  assert.throws(() => run(groups), { message: /does not know/, reason: 'group_unknown' })
})
