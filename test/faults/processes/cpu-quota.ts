import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from './crew.ts'

/** A share of one core that a process may have, and no more. */
export interface CpuQuota {
  /** What keeps it to that: the kernel's scheduler, or stops and goes in turn, where the kernel lets nobody set quotas. */
  readonly by: 'cgroup v2' | 'cgroup v1' | 'SIGSTOP'
  /** How often it was held back so far. */
  readonly heldBack: () => number
  /** Lets it run free again. */
  readonly lift: () => Promise<void>
}

const periodMs = 100

/** Files of a control group in which the kernel keeps to a quota. */
interface Group {
  readonly by: 'cgroup v2' | 'cgroup v1'
  readonly folder: string
  /** Settings in order, by file; `undefined` share: none. */
  readonly quota: (share: number | undefined) => readonly (readonly [file: string, text: string])[]
}

const micros = (ms: number): string => String(Math.round(ms * 1_000))

/** Where this process may make groups of its own that hold processors back, the newer kind first. */
function groups(): readonly Group[] {
  const own = readFileSync('/proc/self/cgroup', 'latin1').trim().split('\n')
  const mounts = readFileSync('/proc/mounts', 'latin1').trim().split('\n')
  return mounts.flatMap((line): Group[] => {
    const [, mount = '', type, options = ''] = line.split(' ')
    if (type === 'cgroup2') {
      const path = own.find((one) => one.startsWith('0::'))?.slice(3) ?? '/'
      const quota: Group['quota'] = (share) => [
        ['cpu.max', `${share === undefined ? 'max' : micros(share * periodMs)} ${micros(periodMs)}`],
      ]
      return [{ by: 'cgroup v2', folder: join(mount, path), quota }]
    }
    if (type !== 'cgroup' || !options.split(',').includes('cpu')) return []
    const path = own.find((one) => one.split(':')[1]?.split(',').includes('cpu'))?.split(':')[2] ?? '/'
    const quota: Group['quota'] = (share) => [
      ['cpu.cfs_period_us', micros(periodMs)],
      ['cpu.cfs_quota_us', share === undefined ? '-1' : micros(share * periodMs)],
    ]
    return [{ by: 'cgroup v1', folder: join(mount, path), quota }]
  })
}

/** Holds a worker to a share of one core, by the kernel where this process may set that, else by stopping it in turn. */
export function holdTo(worker: Worker, share: number): CpuQuota {
  for (const group of groups().toSorted((a, b) => b.by.localeCompare(a.by))) {
    const quota = byKernel(group, worker, share)
    if (quota) return quota
  }
  return bySignals(worker, share)
}

function byKernel({ by, folder, quota }: Group, { pid, ended }: Worker, share: number): CpuQuota | undefined {
  const own = join(folder, `meterveil-test-${pid}`)
  const set = (to: number | undefined) => {
    for (const [file, text] of quota(to)) writeFileSync(join(own, file), text)
  }
  try {
    mkdirSync(own)
  } catch {
    return undefined
  }
  const remove = () => {
    try {
      rmdirSync(own)
    } catch {
      // A group goes only after its last process.
    }
  }
  try {
    set(share)
    writeFileSync(join(own, 'cgroup.procs'), String(pid))
  } catch {
    remove()
    return undefined
  }
  void ended.then(remove)
  const heldBack = () => Number(/^nr_throttled (\d+)/m.exec(readFileSync(join(own, 'cpu.stat'), 'latin1'))?.[1] ?? 0)
  return { by, heldBack, lift: async () => set(undefined) }
}

function bySignals({ signal, ended }: Worker, share: number): CpuQuota {
  let over = false
  let stops = 0
  void ended.then(() => {
    over = true
  })
  const turns = (async () => {
    while (!over) {
      signal('SIGSTOP')
      await pause((1 - share) * periodMs)
      signal('SIGCONT')
      stops += 1
      await pause(share * periodMs)
    }
  })()
  const lift = async () => {
    over = true
    await turns
  }
  return { by: 'SIGSTOP', heldBack: () => stops, lift }
}
