import type { Observer } from '../../operators/contract/observer.ts'
import type { Settings } from '../runtime/settings.ts'
import type { ExitCode } from './errors.ts'

/** What a thread is started with. */
export interface ThreadData {
  readonly settings: Settings
  readonly names: readonly string[]
  /** From 0. */
  readonly thread: number
  readonly threads: number
}

type Observed = {
  [Call in keyof Observer]: {
    readonly kind: 'observed'
    readonly call: Call
    readonly facts: Readonly<Parameters<Observer[Call]>>
  }
}[keyof Observer]

/** What a thread says to the process; the only thing said to it is to stop. */
export type FromThread =
  | Observed
  | { readonly kind: 'started' }
  | { readonly kind: 'failed'; readonly lines: readonly string[]; readonly exitCode: ExitCode }

/** A thread is a worker of its own: where partitions are fixed, each of the process's threads has a share of them. */
export function settingsOfThread(settings: Settings, thread: number, threads: number): Settings {
  const { assignment } = settings
  if (assignment.by === 'group') return settings
  const { ordinal, workers } = assignment
  return { ...settings, assignment: { by: 'ordinal', ordinal: ordinal * threads + thread, workers: workers * threads } }
}
