// The attack: the billing department knows what each of 21 homes used in sum; 20 of them feed the released load. Which one is
// missing? With exact sums the missing one is told every time.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openAuditStage, type SeenRecord } from '../../pipelines/simulation/audit-stage.ts'
import { type AuditWorld, exampleWorld } from '../../pipelines/simulation/audit-world.ts'
import { zeroNoise } from '../helpers/release-fixtures.ts'
import { inFull } from './effort.ts'

const homes = 20

/** A world in which home `missing` reports nothing; -1: all report. */
function without(missing: number): AuditWorld {
  const world = exampleWorld({ present: false, phases: 'preliminary' })
  const template = world.readings.filter(({ home }) => home === 'home-01')
  // Twenty homes of different use: the nineteen that are there, and one more.
  const readings = [...world.readings, ...template.map((reading) => ({ ...reading, home: 'home-20' }))].map(
    (reading) => ({
      ...reading,
      wh: reading.wh + 37 * Number(reading.home.slice(-2)),
    }),
  )
  const gone = `home-${String(missing + 1).padStart(2, '0')}`
  return {
    ...world,
    readings: readings.filter(({ home }) => home !== gone).sort((a, b) => a.receivedAt - b.receivedAt),
  }
}

const sumsOf = (world: AuditWorld): readonly number[] =>
  world.homes.map(({ home }) =>
    world.readings.filter((each) => each.home === home).reduce((sum, { wh }) => sum + wh, 0),
  )

/** What the released windows of a feeder add up to. */
const total = (seen: readonly SeenRecord[]): number =>
  seen
    .filter(({ record }) => record.level === 'feeder' && record.channel === 'import')
    .reduce((sum, { record }) => sum + record.rawWh!, 0)

const bills = sumsOf(without(-1))
const all = bills.reduce((sum, bill) => sum + bill, 0)
/** Who is missing if the released sum is right. */
function guess(released: number): number {
  const gap = all - released
  const distances = bills.map((bill) => Math.abs(bill - gap))
  return distances.indexOf(Math.min(...distances))
}

describe('matching released sums with bills', () => {
  it('names the missing home every time where sums are exact', async () => {
    for (const missing of [0, 7, 13, 19]) {
      const stage = await openAuditStage({ world: without(missing), parts: { noise: zeroNoise } })
      assert.equal(guess(total((await stage.run()).seen)), missing)
    }
  })

  it('names it no more often than a blind guess may, here', async () => {
    const runs = inFull ? 400 : 40
    let hits = 0
    for (const missing of [3, 11]) {
      const stage = await openAuditStage({ world: without(missing) })
      for (let run = 0; run < runs / 2; run++) if (guess(total((await stage.run()).seen)) === missing) hits += 1
    }
    // The noise of the sum is some hundred times the spread of the bills, so nearly all guesses fall on the largest or the
    // smallest bill. More than a quarter of right ones comes by chance once in 10^6 times at 1 in 20.
    assert.ok(hits <= runs / 4, `${hits} of ${runs}`)
    assert.ok(homes === bills.length)
  })
})
