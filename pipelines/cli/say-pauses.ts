import type { Observer } from '../../operators/contract/observer.ts'
import { silentObserver } from '../runtime/observer.ts'
import type { Terminal } from './terminal.ts'

/**
 * Remarks, once each time, that a pipeline takes no input because a store has no room, with what to do, and that it goes on.
 * Nothing is lost meanwhile, and nobody has to start it again.
 */
export function sayPauses(terminal: Pick<Terminal, 'note'>): Observer {
  const waiting = new Map<string, Set<number>>()
  const told = new Set<string>()
  return {
    ...silentObserver,
    assignment: (pipeline, partition, step) => {
      const partitions = waiting.get(pipeline) ?? new Set()
      waiting.set(pipeline, partitions)
      if (step === 'paused') partitions.add(partition)
      if (step !== 'running' && step !== 'lost') return
      partitions.delete(partition)
      if (partitions.size > 0 || !told.delete(pipeline)) return
      if (step === 'running') terminal.note(`${pipeline} goes on.`)
    },
    // Told right after `paused`, with the reason.
    retry: (pipeline, partition, error) => {
      if (told.has(pipeline) || !waiting.get(pipeline)?.has(partition)) return
      told.add(pipeline)
      terminal.note(`${pipeline} is paused: ${error.message}`)
    },
  }
}
