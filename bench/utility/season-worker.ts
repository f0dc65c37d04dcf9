import { parentPort, workerData } from 'node:worker_threads'
import { judge } from './rows.ts'
import { householdsOf, type SeasonJob } from './seasons.ts'

const job = workerData as SeasonJob
parentPort?.postMessage(judge(householdsOf(job), job))
