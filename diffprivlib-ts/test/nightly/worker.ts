// Draws in a thread of its own, with secure bits of its own: either so many, or for long enough to tell how fast.
import { parentPort, workerData } from 'node:worker_threads'
import { secureBits } from '../../src/random/secure.ts'
import { families } from './families.ts'
import { countDraws } from './goodness.ts'

/** What a thread is asked: a family, and how many draws; none asks for the draws a second instead. */
export interface Task {
  readonly family: string
  readonly draws?: number
}

const { family: name, draws } = workerData as Task
const family = families.find((one) => one.name === name)!
const draw = family.sampler(secureBits())

if (draws === undefined) {
  // The first count also computes the law.
  countDraws(family, draw, 1_000)
  let speed = 0
  for (let count = 1_000, millis = 0; millis < 300; count *= 3) {
    const started = performance.now()
    countDraws(family, draw, count)
    millis = performance.now() - started
    speed = (1000 * count) / millis
  }
  parentPort?.postMessage(speed)
} else parentPort?.postMessage(countDraws(family, draw, draws))
