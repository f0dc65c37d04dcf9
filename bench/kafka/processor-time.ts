import { readFileSync } from 'node:fs'

/** Ticks a second of /proc/PID/stat, which Linux has fixed for programs at 100. */
const ticksPerSecond = 100

/** Seconds of processor time that processes have used, by Linux's own account. */
export function processorSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // The name of the program, in brackets, may hold blanks: fields are counted behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }, 0)
}
