// A thread that draws one family with secure bits of its own, as many as each message asks for.
import { parentPort, workerData } from 'node:worker_threads'
import { secureBits } from '../../src/random/secure.ts'
import { families } from './families.ts'
import { countDraws } from './goodness.ts'

const family = families.find(({ name }) => name === workerData)!
const draw = family.sampler(secureBits())

parentPort!.on('message', (draws: number) => parentPort!.postMessage(countDraws(family, draw, draws)))
