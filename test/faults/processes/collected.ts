import { writeSync } from 'node:fs'
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/*
 * Loaded into a worker by `--import`: what its garbage collector did, told when it ends.
 */

let whole = 0
let all = 0
let tookMs = 0
let mostMiB = 0
const heap = (): number => getHeapStatistics().used_heap_size / 2 ** 20
const limitMiB = Math.round(getHeapStatistics().heap_size_limit / 2 ** 20)

const note = (entry: PerformanceEntry & { readonly detail?: { readonly kind?: number } }): void => {
  all += 1
  tookMs += entry.duration
  if (entry.detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR) whole += 1
  mostMiB = Math.max(mostMiB, heap())
}
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) note(entry)
}).observe({ entryTypes: ['gc'] })

process.on('exit', () => {
  const busy = process.cpuUsage()
  writeSync(
    2,
    `${process.pid} collected garbage ${all} times, ${whole} of the whole heap, in ${Math.round(tookMs)} ms of which it was held back for some; ${Math.round(mostMiB)} of ${limitMiB} MiB were in use; ${Math.round((busy.user + busy.system) / 1_000)} ms of processor time in all\n`,
  )
})
