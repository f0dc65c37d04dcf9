/**
 * Privacy labels: how far a record stands from the person behind it, closest first.
 * A label travels in the type of a stream and of a topic; only a `Lowering` step may change it.
 */
export const labels = ['identified', 'pseudonymous', 'aggregate', 'released'] as const
export type Label = (typeof labels)[number]

/** The labels a topic labelled `L` may receive: its own and every one further from the person. */
export type AtMost<L extends Label> = {
  identified: Label
  pseudonymous: Exclude<Label, 'identified'>
  aggregate: 'aggregate' | 'released'
  released: 'released'
}[L]

/** A type that nothing satisfies; its text is what the compiler prints when privacy would be broken. */
export interface PrivacyError<M extends string> {
  readonly __privacyError: M
}

/** Whether records labelled `label` may be written to a topic labelled `topic`: the run-time twin of `AtMost`. */
export function mayReach(label: Label, topic: Label): boolean {
  return labels.indexOf(label) >= labels.indexOf(topic)
}
