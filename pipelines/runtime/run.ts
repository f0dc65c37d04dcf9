import { setTimeout as pauseFor } from 'node:timers/promises'
import type { Membership } from '../../connectors/contract.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { hasKeyedState, runAccumulatingTask } from './accumulating-task.ts'
import { runKeyedTask } from './keyed-task.ts'
import { type AssignStep, type Observer, silentObserver } from './observer.ts'
import { Killed, noProbe, type Probe } from './probe.ts'
import type { AnyTopic, Pipeline } from './stream.ts'
import { walk } from './stream.ts'
import {
  defaultTaskOptions as defaults,
  isFull,
  mustReassign,
  type Ports,
  type TaskContext,
  type TaskOptions,
} from './task.ts'
import { openWire } from './wire.ts'

export interface RunOptions {
  readonly observer?: Observer
  readonly probe?: Probe
  readonly task?: Partial<TaskOptions>
  /** These partitions of the source, fixed, or those chosen from their count; by default the group assigns them. */
  readonly partitions?: readonly number[] | ((count: number) => readonly number[])
}

/** A pipeline that runs. */
export interface Running {
  /** Resolves once every task has drained after `stop`; rejects with the first error that ended the pipeline. */
  readonly done: Promise<void>
  /** Finishes the batches at hand, then stops. */
  readonly stop: () => Promise<void>
}

/** Reason of the aborts that stop tasks. The default one is an error with a stack, made anew for each. */
const toldToStop = 'the task is told to stop'

/** Stands for the partition in what is told of the whole group. */
const noPartition = -1

/** Every topic a pipeline reads or writes. */
export function topicsOf({ source, nodes, options }: Pipeline): AnyTopic[] {
  const all = new Map<string, AnyTopic>([[source.name, source]])
  for (const node of walk(nodes)) if (node.kind === 'sink') all.set(node.topic.name, node.topic)
  for (const topic of [options.rejects, options.changelog, options.state, options.history?.topic]) {
    if (topic) all.set(topic.name, topic as AnyTopic)
  }
  return [...all.values()]
}

/**
 * Runs a pipeline: one task per partition of its source, each fenced on its own. A task whose call went unanswered, was
 * fenced, or met a store without room is assigned again with a growing pause; a broken promise (`HaltError`) or a fault ends the whole pipeline.
 */
export async function run(pipeline: Pipeline, ports: Ports, options: RunOptions = {}): Promise<Running> {
  const observer = options.observer ?? silentObserver
  const wire = await openWire(ports.registry, topicsOf(pipeline))
  const stopping = new AbortController()
  const tasks = new Map<number, { readonly stop: AbortController; readonly ended: Promise<void> }>()
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {})

  let membership: Membership | undefined
  // A task whose group has revoked it, or expelled this member unheard, must not fence the one that took over.
  const confirmed = async (partition: number, stopped: AbortSignal): Promise<boolean> =>
    !stopped.aborted && (membership === undefined || (await membership.owns(partition)))

  const startAll = (partitions: readonly number[]) => {
    observer.settled(pipeline.name, partitions.length)
    partitions.forEach(start)
  }
  const start = (partition: number) => {
    const stop = new AbortController()
    stopping.signal.addEventListener('abort', () => stop.abort(toldToStop), { once: true })
    if (stopping.signal.aborted) stop.abort(toldToStop)
    const task: TaskContext = {
      pipeline,
      partition,
      ports,
      wire,
      observer,
      probe: options.probe ?? noProbe,
      options: { confirmed: () => confirmed(partition, stop.signal), ...defaults, ...options.task },
      signal: stop.signal,
    }
    const ended = keepRunning(task).catch((error: unknown) => {
      observer.halted(pipeline.name, error as Error)
      fail(error)
    })
    tasks.set(partition, { stop, ended })
  }
  const end = async (partitions: readonly number[]) => {
    const ending = partitions.flatMap((partition) => tasks.get(partition) ?? [])
    for (const task of ending) task.stop.abort(toldToStop)
    await Promise.all(ending.map((task) => task.ended))
    for (const partition of partitions) tasks.delete(partition)
  }

  const { partitions } = options
  if (typeof partitions === 'function') startAll(partitions(await ports.log.partitions(pipeline.source.name)))
  else if (partitions) startAll(partitions)
  else {
    membership = await ports.log.join(pipeline.name, pipeline.source.name, {
      assigned: async (partitions) => startAll(partitions),
      revoked: end,
      failed: (error) => {
        observer.halted(pipeline.name, error)
        fail(error)
      },
      retried: (error) => observer.retry(pipeline.name, noPartition, error),
    })
  }
  const drained = new Promise<void>((resolve, reject) => {
    stopping.signal.addEventListener('abort', () => {
      end([...tasks.keys()])
        .then(() => membership?.leave())
        .then(() => resolve(), reject)
    })
  })
  const done = Promise.race([drained, failed.catch((error) => abandon(error, tasks, membership))])
  done.catch(() => {})
  return {
    done,
    stop: () => {
      stopping.abort(toldToStop)
      return done
    },
  }
}

/** After the first fatal error the other tasks finish their batch; a killed pipeline finishes nothing. */
async function abandon(
  error: unknown,
  tasks: ReadonlyMap<number, { readonly stop: AbortController; readonly ended: Promise<void> }>,
  membership: Membership | undefined,
): Promise<never> {
  for (const task of tasks.values()) task.stop.abort(toldToStop)
  if (!(error instanceof Killed)) {
    await Promise.all([...tasks.values()].map((task) => task.ended))
    await membership?.leave()
  }
  throw error
}

const firstPauseMs = 20
const longestPauseMs = 5_000

async function keepRunning(task: TaskContext): Promise<void> {
  let pause = firstPauseMs
  let since: EpochMs = task.ports.clock.now()
  while (!task.signal.aborted) {
    try {
      return await runOnce(task)
    } catch (error) {
      if (!mustReassign(error)) throw error
      if (!isFull(error)) task.observer.transaction(task.pipeline.name, error.code === 'fenced' ? 'fenced' : 'unknown')
      task.observer.retry(task.pipeline.name, task.partition, error)
      // Fenced by a newer owner that the group chose: this task must not fence it in turn.
      if (error.code === 'fenced' && !(await task.options.confirmed())) return
      if (task.ports.clock.now() - since > longestPauseMs * 4) pause = firstPauseMs
      since = task.ports.clock.now()
      await pauseFor(pause, undefined, { signal: task.signal }).catch(() => {})
      pause = Math.min(pause * 2, longestPauseMs)
      if (task.signal.aborted && isFull(error)) task.observer.assignment(task.pipeline.name, task.partition, 'lost')
    }
  }
}

/** One assignment, from its first step to its end; the observer is told of the end whatever it was. */
async function runOnce(task: TaskContext): Promise<void> {
  let end: AssignStep = 'lost'
  try {
    await (hasKeyedState(task.pipeline.nodes) ? runKeyedTask(task) : runAccumulatingTask(task))
  } catch (error) {
    if (isFull(error)) end = 'paused'
    throw error
  } finally {
    task.observer.assignment(task.pipeline.name, task.partition, end)
  }
}

/** Runs several pipelines side by side, all or none; the first that ends with an error stops the others. */
export async function runAll(pipelines: readonly Pipeline[], ports: Ports, options: RunOptions = {}): Promise<Running> {
  const all: Running[] = []
  const stop = async () => {
    await Promise.allSettled(all.map((one) => one.stop()))
  }
  try {
    for (const one of pipelines) all.push(await run(one, ports, options))
  } catch (error) {
    await stop()
    throw error
  }
  const done = Promise.all(all.map((one) => one.done)).then(
    () => {},
    async (error: unknown) => {
      const stopped = stop()
      if (!(error instanceof Killed)) await stopped
      throw error
    },
  )
  done.catch(() => {})
  return {
    done,
    stop: async () => {
      await stop()
      await done
    },
  }
}
