/** Steps of a task between which a test may kill it. Each is announced before and after. */
export const steps = [
  'fence',
  'marker',
  'replay',
  'poll',
  'hold',
  'lookup',
  'process',
  'begin',
  'offsets',
  'produce',
  'commit',
  'apply',
] as const
export type Step = (typeof steps)[number]

/** What a task tells of itself as it goes. Production code passes `noProbe`; a test's probe may throw `Killed`. */
export type Probe = (moment: {
  readonly pipeline: string
  readonly partition: number
  readonly step: Step
  readonly at: 'before' | 'after'
  readonly topics?: readonly string[]
}) => void

export const noProbe: Probe = () => {}

/** Thrown by a test's probe: the task ends as a killed process would, with nothing closed, aborted or tidied. */
export class Killed extends Error {
  override readonly name = 'Killed'
}
