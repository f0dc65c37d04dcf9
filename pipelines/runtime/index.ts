export { mostSealedBytes, type OpenedLetter, openDeadLetter, sealer, unseal } from './dead-letter.ts'
export * from './observer.ts'
export { Killed, noProbe, type Probe, type Step, steps } from './probe.ts'
export { type Running, type RunOptions, run, runAll, topicsOf } from './run.ts'
export {
  type History,
  type Node,
  type Pipeline,
  type PipelineOptions,
  pipeline,
  type SinkOptions,
  type Stream,
  type Witness,
  walk,
} from './stream.ts'
export { defaultTaskOptions, type Ports, type TaskOptions } from './task.ts'
