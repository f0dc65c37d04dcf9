import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Log, Reader, Transactor } from '../../../connectors/contract.ts'
import { runAccumulatingTask } from '../../../pipelines/runtime/accumulating-task.ts'
import { Killed, type Pipeline, type Ports, type Probe } from '../../../pipelines/runtime/index.ts'
import { silentObserver } from '../../../pipelines/runtime/observer.ts'
import { defaultTaskOptions, mustReassign } from '../../../pipelines/runtime/task.ts'
import type { Wire } from '../../../pipelines/runtime/wire.ts'

/** One process that runs one pipeline: it may be frozen at any call, killed at any step, or overtaken. */
export interface Owner {
  readonly role: string
  /** Whether the group holds it for the owner. */
  current: boolean
  state: 'running' | 'ended' | 'killed' | 'failed'
  failure: unknown
  /** Calls to the log until it freezes; undefined for never. */
  freezeIn: number | undefined
  frozen: boolean
  thaw: () => void
  /** Ends it at its next call. */
  readonly kill: () => void
}

export interface OwnerOptions {
  readonly pipeline: Pipeline
  readonly ports: Ports
  readonly wire: Wire
  readonly probe: Probe
  readonly moved: () => void
  readonly froze: (owner: Owner) => void
  readonly ended: (owner: Owner) => void
}

const transactionTimeoutMs = 15_000

/** Starts an owner. It assigns itself again, as `run` does, but without pauses, so that a storm takes no time. */
export function startOwner(options: OwnerOptions): Owner {
  const { pipeline, ports, wire, probe, moved } = options
  let isDead = false
  const owner: Owner = {
    role: pipeline.name,
    current: true,
    state: 'running',
    failure: undefined,
    freezeIn: undefined,
    frozen: false,
    thaw: () => {},
    kill: () => {
      isDead = true
      owner.thaw()
    },
  }
  const gate = async (): Promise<void> => {
    moved()
    if (isDead) throw new Killed('at a call')
    if (owner.freezeIn === undefined || owner.freezeIn-- > 0) return
    owner.freezeIn = undefined
    owner.frozen = true
    const { promise, resolve } = Promise.withResolvers<void>()
    owner.thaw = () => {
      owner.frozen = false
      resolve()
    }
    options.froze(owner)
    await promise
    if (isDead) throw new Killed('while it slept')
  }
  const task = {
    pipeline,
    partition: 0,
    ports: { ...ports, log: gated(ports.log, gate) },
    wire,
    observer: silentObserver,
    probe: (moment: Parameters<Probe>[0]) => {
      moved()
      probe(moment)
    },
    // A read that misses nothing is asked once: the log in memory never lags.
    options: { ...defaultTaskOptions, settleMs: -1, transactionTimeoutMs, confirmed: async () => owner.current },
    signal: new AbortController().signal,
  }
  const live = async (): Promise<void> => {
    for (;;) {
      try {
        await runAccumulatingTask(task)
        return
      } catch (error) {
        moved()
        if (!mustReassign(error)) throw error
        if (error.code === 'fenced' && !owner.current) return
        await nextTurn()
      }
    }
  }
  void live().then(
    () => {
      owner.state = 'ended'
      options.ended(owner)
    },
    (error: unknown) => {
      owner.state = error instanceof Killed ? 'killed' : 'failed'
      owner.failure = error
      options.ended(owner)
    },
  )
  return owner
}

/** Passes every call through the gate, before it is sent and before its answer arrives. */
function gated(log: Log, gate: () => Promise<void>): Log {
  const through = async <T>(act: () => Promise<T>): Promise<T> => {
    await gate()
    const result = await act()
    await gate()
    return result
  }
  const transactor = (inner: Transactor): Transactor => ({
    begin: () => through(inner.begin),
    sendOffsets: (...offsets) => through(() => inner.sendOffsets(...offsets)),
    send: (records) => through(() => inner.send(records)),
    commit: () => through(inner.commit),
    abort: () => through(inner.abort),
    close: inner.close,
  })
  const reader = (inner: Reader): Reader => ({
    poll: (options) => through(() => inner.poll(options)),
    close: inner.close,
  })
  return {
    ...log,
    bounds: (...rest) => through(() => log.bounds(...rest)),
    open: (id, options) => through(async () => transactor(await log.open(id, options))),
    read: (...rest) => through(async () => reader(await log.read(...rest))),
  }
}
