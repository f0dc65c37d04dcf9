import { Worker } from 'node:worker_threads'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Profiles } from '../fleet/profiles.ts'
import { type Households, realHouseholds, syntheticHouseholds } from './households.ts'
import type { Row } from './rows.ts'

/** The rows of one set and season to make. */
export interface SeasonJob {
  readonly set: string
  /** `YYYY-MM-DD`. */
  readonly season: string
  /** Real homes; without them those of the fleet's load model at 15 minutes. */
  readonly profiles: Profiles | undefined
  readonly days: number
  readonly warmUp: number
  /** Largest group size that is looked at. */
  readonly most: number
}

/** The households of a job. */
export function householdsOf({ profiles, days, season }: SeasonJob): Households {
  const from: EpochMs = Date.parse(season)
  return profiles ? realHouseholds(profiles, from, days) : syntheticHouseholds(1, 100, 900, from, days)
}

/** The rows of all jobs in their order, each job in a thread of its own, `threads` at a time. `done` hears of each. */
export async function judgeSeasons(
  jobs: readonly SeasonJob[],
  threads: number,
  done: (job: SeasonJob, seconds: number) => void,
): Promise<readonly Row[]> {
  const made: (readonly Row[])[] = jobs.map(() => [])
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const at = next++
      const job = jobs[at]!
      const began = performance.now()
      made[at] = await judgeOne(job)
      done(job, (performance.now() - began) / 1_000)
    }
  }
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, lane))
  return made.flat()
}

function judgeOne(job: SeasonJob): Promise<readonly Row[]> {
  const worker = new Worker(new URL('./season-worker.ts', import.meta.url), { workerData: job })
  return new Promise((resolve, reject) => {
    let rows: readonly Row[] | undefined
    worker.once('message', (made: readonly Row[]) => {
      rows = made
    })
    worker.once('error', reject)
    worker.once('exit', (code) => {
      if (rows === undefined) reject(new Error(`the thread of ${job.set} from ${job.season} ended with code ${code}`))
      else resolve(rows)
    })
  })
}
