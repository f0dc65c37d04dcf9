import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { checkReadings, createMillion, type MillionFleet, verdictText } from '../../../bench/fleet/index.ts'
import { defaultMeterMix } from '../../../bench/fleet/meters.ts'
import { runModel } from './model-pipeline.ts'

const start = Date.UTC(2026, 6, 1, 18, 15)
const small = { seed: 6, homes: 2_000, feeders: 20, substations: 4, regions: 2, start }

function digestOf({ frames }: MillionFleet): string {
  const hash = createHash('sha256')
  for (const part of [frames.bytes, frames.offsets, frames.receivedMs, frames.home, frames.flags]) hash.update(part)
  return hash.digest('hex')
}

test('a packed fleet has the same bytes on any number of threads', async () => {
  const homes = 50_100
  const progress: number[] = []
  const alone = await createMillion({ seed: 6, homes, start, threads: 0 })
  const shared = await createMillion({ seed: 6, homes, start, threads: 2, onProgress: (done) => progress.push(done) })
  assert.equal(digestOf(shared), digestOf(alone))
  assert.equal(progress.at(-1), homes)
})

test('a correct pipeline passes the checker on a packed fleet', async () => {
  const fleet = await createMillion({ ...small, threads: 0, meterMix: defaultMeterMix, homeMix: { ...homeMix } })
  const verdict = checkReadings(fleet.journal, runModel(fleet))
  assert.ok(verdict.ok, verdictText(verdict))
  assert.ok(verdict.required >= 2_000)
})

const homeMix = { vacant: 0, storageHeating: 0.1, directHeating: 0.1, heatPump: 0.1, electricCar: 0.1, solar: 0.2 }

test('retries of a packed fleet keep their share and come after the first', async () => {
  const { frames } = await createMillion({ ...small, homes: 20_000, threads: 0 })
  const seen = new Set<number>()
  let copies = 0
  for (let i = 0; i < frames.count; i++) {
    const home = frames.home[i] as number
    if ((frames.flags[i] as number) === 1) {
      copies++
      assert.ok(seen.has(home))
    }
    seen.add(home)
    assert.ok(i === 0 || (frames.receivedMs[i] as number) >= (frames.receivedMs[i - 1] as number))
  }
  assert.equal(seen.size, 20_000)
  // 600 on average with a standard deviation of 24: outside six of them with a chance below 1e-8
  assert.ok(Math.abs(copies - 600) < 145, `${copies}`)
})

test('register and true load of a packed fleet agree over the levels', async () => {
  const { register, topology, trueLoad, journal } = await createMillion({ ...small, threads: 0 })
  const [feeder] = register.groups('feeder')
  assert.equal(register.groups('feeder').length, 20)
  assert.equal(feeder?.residential, 100)
  const entry = register.entryOf(1_234)
  assert.equal(register.byConnection(journal.connectionOf(1_234), start), entry)
  assert.equal(register.byTitle(entry.systemTitle, start), entry)
  assert.equal(register.byConnection('CP0000000000', start), undefined)
  assert.equal(register.byConnection('elsewhere', start), undefined)
  const total = topology.groups('region').reduce((sum, group) => sum + trueLoad('region', group), 0)
  assert.equal(total, trueLoad('utility', 'utility'))
})

test('refuses an interval that does not begin at a multiple of its length', async () => {
  await assert.rejects(createMillion({ ...small, start: start + 60_000, threads: 0 }), /multiple of its length/)
})
