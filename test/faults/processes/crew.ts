import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { EpochMs } from '../../../schemas/codec.ts'
import type { Order, Report, Strike, WorkerSettings } from './orders.ts'

/** How a worker ended. */
export interface Death {
  readonly slot: number
  /** By its own strike, by the supervisor's signal, in good order, or because something failed. */
  readonly how: 'struck' | 'killed' | 'drained' | 'failed'
  readonly strike: Strike | undefined
  readonly code: number | null
  /** Frames that nobody had processed yet at that moment. */
  readonly unfinished: number
}

/** One process, from its birth to its end. */
export interface Worker {
  readonly slot: number
  readonly pid: number
  readonly strike: Strike | undefined
  readonly running: Promise<void>
  readonly ended: Promise<Death>
  readonly signal: (signal: NodeJS.Signals) => void
  /** Gives it another moment to strike at, or none. */
  readonly arm: (strike: Strike | undefined) => void
  /** Resolves when it stands still after SIGSTOP, its own or another's. */
  readonly still: () => Promise<void>
  /** Resolves when it waits in a wrong protocol. */
  readonly waiting: () => Promise<string>
  readonly proceed: () => void
  /** Asks it to drain and stop. */
  readonly stop: () => Promise<Death>
}

export interface CrewOptions {
  readonly settings: WorkerSettings
  /** Unprocessed frames right now. */
  readonly unfinished: () => Promise<number>
  readonly start: EpochMs
}

/** The workers of one stage, and their past. */
export interface Crew {
  readonly deaths: readonly Death[]
  readonly commits: readonly Extract<Report, { kind: 'committed' }>[]
  /** Sums of the counters of workers that stopped in good order. */
  readonly fates: ReadonlyMap<string, number>
  /** Takes the sums back to what they were: for a log that was taken back, too. */
  readonly restoreFates: (earlier: ReadonlyMap<string, number>) => void
  readonly now: () => EpochMs
  readonly launch: (slot: number, options?: Launch) => Promise<Worker>
  /** Keeps a worker in each slot: whenever one ends, the next begins. */
  readonly keep: (slots: number, options?: Keep) => Kept
  /** Tells everybody the time, and waits until they know. */
  readonly moveTo: (now: EpochMs) => Promise<void>
  readonly log: () => string
  readonly logFile: string
  /** Kills whoever is left. */
  readonly end: () => Promise<void>
}

export interface Launch {
  readonly strike?: Strike
  readonly settings?: Partial<WorkerSettings>
}

export interface Keep {
  readonly settings?: (slot: number) => Partial<WorkerSettings>
  /** What the nth start in a slot, from 0, is to end of. */
  readonly strike?: (slot: number, start: number) => Strike | undefined
  /** After so long without being struck a worker gets another strike. Default 2,000 ms. */
  readonly patienceMs?: number
}

export interface Kept {
  readonly workers: () => readonly Worker[]
  /** Lets nobody follow; asks those that run to drain, and waits for them. */
  readonly stop: () => Promise<readonly Death[]>
}

const script = new URL('worker.ts', import.meta.url).pathname

/** Opens a crew. Its processes die with this one, and when `end` is called. */
export function openCrew({ settings, unfinished, start }: CrewOptions): Crew {
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-crew-'))
  const logFile = join(folder, 'workers.log')
  const descriptor = openSync(logFile, 'a')
  const children = new Set<ChildProcess>()
  const present = new Set<Member>()
  const endings = new Set<Promise<Death>>()
  const deaths: Death[] = []
  const commits: Extract<Report, { kind: 'committed' }>[] = []
  const fates = new Map<string, number>()
  let now = start
  let ids = 0
  let closed = false

  interface Member extends Worker {
    readonly told: (id: number) => Promise<void>
    readonly child: ChildProcess
  }

  /** A process that has loaded everything and waits to be told to run: its start then takes no time. */
  const prepare = (given: WorkerSettings): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [script], {
      stdio: ['ignore', descriptor, descriptor, 'ipc'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'meterveil-compile-cache') },
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    child.on('error', () => {})
    send(child, { kind: 'settings', settings: given })
    return new Promise((resolve, reject) => {
      child.once('message', () => resolve(child))
      child.once('exit', (code, signal) => reject(new Error(`a worker ended with ${code ?? signal} before it began`)))
    })
  }

  const begin = (child: ChildProcess, slot: number, strike: Strike | undefined): Member => {
    const running = Promise.withResolvers<void>()
    running.promise.catch(() => {})
    const acknowledged = new Map<number, () => void>()
    const asked: string[] = []
    let waiter: ((where: string) => void) | undefined
    let armed = strike
    let killed = false
    child.on('message', (report: Report) => {
      if (report.kind === 'running') running.resolve()
      else if (report.kind === 'time') acknowledged.get(report.id)?.()
      else if (report.kind === 'committed') commits.push(report)
      else if (report.kind === 'waiting') {
        if (waiter) waiter(report.where)
        else asked.push(report.where)
        waiter = undefined
      } else if (report.kind === 'fates') {
        for (const [fate, count] of Object.entries(report.fates)) fates.set(fate, (fates.get(fate) ?? 0) + count)
      }
    })
    const ended = new Promise<Death>((resolve) => {
      child.once('exit', async (code, signal) => {
        present.delete(member)
        for (const answer of acknowledged.values()) answer()
        running.reject(new Error(`the worker ended with ${code ?? signal}`))
        const how = code === 0 ? 'drained' : signal === 'SIGKILL' ? (killed ? 'killed' : 'struck') : 'failed'
        const left = await unfinished().catch(() => -1)
        const death: Death = { slot, how, strike: how === 'struck' ? armed : undefined, code, unfinished: left }
        deaths.push(death)
        resolve(death)
      })
    })
    endings.add(ended)
    const member: Member = {
      slot,
      child,
      pid: child.pid!,
      get strike() {
        return armed
      },
      running: running.promise,
      ended,
      signal: (signal) => {
        if (signal === 'SIGKILL') killed = true
        child.kill(signal)
      },
      arm: (next) => {
        armed = next
        send(child, { kind: 'strike', strike: next ?? null })
      },
      still: async () => {
        while (stateOf(child.pid!) !== 'T') {
          if (!present.has(member)) throw new Error('the worker ended before it stood still')
          await pause(20)
        }
      },
      waiting: () =>
        new Promise((resolve) => {
          const first = asked.shift()
          if (first === undefined) waiter = resolve
          else resolve(first)
        }),
      proceed: () => send(child, { kind: 'proceed' }),
      stop: () => {
        armed = undefined
        send(child, { kind: 'strike', strike: null })
        send(child, { kind: 'stop' })
        return ended
      },
      told: (id) =>
        new Promise((resolve) => {
          acknowledged.set(id, () => {
            acknowledged.delete(id)
            resolve()
          })
        }),
    }
    present.add(member)
    send(child, { kind: 'run', now, ...(strike ? { strike } : {}) })
    return member
  }

  const launch = async (slot: number, { strike, settings: own }: Launch = {}): Promise<Worker> =>
    begin(await prepare({ ...settings, ...own }), slot, strike)

  const keep = (slots: number, { settings: settingsOf, strike: strikeOf, patienceMs = 2_000 }: Keep = {}): Kept => {
    let over = false
    const hurry = (worker: Worker, slot: number, turn: number) => {
      const timer = setInterval(() => {
        if (worker.strike) worker.arm(strikeOf?.(slot, turn))
      }, patienceMs)
      void worker.ended.then(() => clearInterval(timer))
    }
    const workers = new Map<number, Worker>()
    const sitting = async (slot: number): Promise<void> => {
      for (let turn = 0; !over && !closed; turn++) {
        const spare = await prepare({ ...settings, ...settingsOf?.(slot) }).catch(() => undefined)
        if (spare === undefined) continue
        const before = workers.get(slot)
        const last = await before?.ended
        // What ends by itself, ends again if it begins at once: an orchestrator waits a little, too.
        if (last?.how === 'failed') await pause(500)
        if (over || closed) return void spare.kill('SIGKILL')
        const worker = begin(spare, slot, strikeOf?.(slot, turn))
        workers.set(slot, worker)
        if (strikeOf) worker.running.then(() => hurry(worker, slot, turn)).catch(() => {})
      }
    }
    const seats = Array.from({ length: slots }, (_, slot) => sitting(slot))
    return {
      workers: () => [...workers.values()].filter((worker) => present.has(worker as Member)),
      stop: async () => {
        over = true
        const left = [...workers.values()].filter((worker) => present.has(worker as Member))
        const last = await Promise.all(left.map((worker) => worker.stop()))
        await Promise.all(seats)
        return last
      },
    }
  }

  return {
    deaths,
    commits,
    fates,
    restoreFates: (earlier) => {
      fates.clear()
      for (const [fate, count] of earlier) fates.set(fate, count)
    },
    now: () => now,
    launch,
    keep,
    moveTo: async (instant) => {
      now = Math.max(now, instant)
      const id = ids++
      const awake = [...present].filter(({ pid }) => stateOf(pid) !== 'T')
      await Promise.all(
        awake.map(async ({ child, told, slot, pid }) => {
          let known = false
          void told(id).then(() => {
            known = true
          })
          send(child, { kind: 'time', now, id })
          // One that was stopped meanwhile answers when it wakes.
          for (let turn = 0; !known && stateOf(pid) !== 'T'; turn++) {
            if (turn > 6_000) throw new Error(`worker ${pid} in slot ${slot} does not answer: ${stateOf(pid)}`)
            await pause(10)
          }
        }),
      )
    },
    log: () => readFileSync(logFile, 'utf8'),
    logFile,
    end: async () => {
      closed = true
      const gone = [...children].map((child) => new Promise((resolve) => child.once('exit', resolve)))
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(gone)
      // Each end asks the log what was left: the log must still be there.
      await Promise.all(endings)
      closeSync(descriptor)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function send(child: ChildProcess, order: Order): void {
  // Whoever is dead is not told; its end says so.
  if (child.connected) child.send(order, () => {})
}

/** State of a process as the system names it: T stands still. */
function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat[stat.lastIndexOf(')') + 2] ?? 'X'
  } catch {
    return 'X'
  }
}
