import type { LabelChange, Spec } from '../../operators/contract/operator.ts'
import type { Reason } from '../../operators/contract/reasons.ts'
import type { Label } from '../../schemas/label.ts'
import type { Node, Pipeline } from './stream.ts'

/** A topic as the topology knows it. */
export interface TopicFacts {
  readonly name: string
  readonly label: Label
}

/** An operator in its place: what it is given, what it may do, what follows. */
export interface StepFacts {
  readonly name: string
  readonly kind: 'operator' | 'keyed' | 'accumulating'
  /** Label of what it passes on. */
  readonly label: Label
  /** Present where privacy changes. */
  readonly lowers?: LabelChange
  readonly drops: readonly Reason[]
  readonly rejects: readonly Reason[]
  /** Name of the table of keyed state. */
  readonly state?: string
  readonly next: readonly StepFacts[]
  readonly sinks: readonly TopicFacts[]
}

/** A pipeline as data: everything `meterveil describe` prints, and what a review of data flows needs. */
export interface PipelineFacts {
  readonly name: string
  readonly source: TopicFacts
  readonly steps: readonly StepFacts[]
  /** Topics the source reaches without any operator. */
  readonly sinks: readonly TopicFacts[]
  readonly deadLetters?: TopicFacts
  readonly changelog?: TopicFacts
  readonly snapshots?: TopicFacts
  readonly history?: TopicFacts
}

const topicFacts = ({ name, label }: { readonly name: string; readonly label: Label }): TopicFacts => ({ name, label })

/** What a pipeline consists of. Reads the description only: nothing is run or opened. */
export function describePipeline({ name, source, nodes, options }: Pipeline): PipelineFacts {
  return {
    name,
    source: topicFacts(source),
    ...branches(nodes),
    ...(options.rejects ? { deadLetters: topicFacts(options.rejects) } : {}),
    ...(options.changelog ? { changelog: topicFacts(options.changelog) } : {}),
    ...(options.state ? { snapshots: topicFacts(options.state) } : {}),
    ...(options.history ? { history: topicFacts(options.history.topic) } : {}),
  }
}

function branches(nodes: readonly Node[]): {
  readonly steps: readonly StepFacts[]
  readonly sinks: readonly TopicFacts[]
} {
  return {
    steps: nodes.flatMap((node) => (node.kind === 'sink' ? [] : [stepFacts(node)])),
    sinks: nodes.flatMap((node) => (node.kind === 'sink' ? [topicFacts(node.topic)] : [])),
  }
}

function stepFacts(node: Exclude<Node, { kind: 'sink' }>): StepFacts {
  const step: { readonly spec: Spec; readonly label?: LabelChange; readonly state?: unknown } = node.step
  const { steps, sinks } = branches(node.next)
  // A lowering given to `through` keeps its label change to itself: the label of the stream says what counts.
  const lowers = step.label !== undefined && step.label.to === node.label ? step.label : undefined
  return {
    name: step.spec.name,
    kind: node.kind,
    label: node.label,
    ...(lowers ? { lowers } : {}),
    drops: step.spec.drops,
    rejects: step.spec.rejects,
    ...(node.kind === 'keyed' ? { state: node.step.state.name as string } : {}),
    next: steps,
    sinks,
  }
}

/** The topology as text, one branch under the other, at most `width` columns wide. */
export function topologyText(pipelines: readonly PipelineFacts[], width = 80): readonly string[] {
  return pipelines.flatMap((facts, at) => [...(at === 0 ? [] : ['']), ...pipelineText(facts, width)])
}

function pipelineText(facts: PipelineFacts, width: number): readonly string[] {
  const topic = ({ name, label }: TopicFacts) => `${name} (${label})`
  const extra: readonly (readonly [string, TopicFacts | undefined])[] = [
    ['rejects to', facts.deadLetters],
    ['changelog', facts.changelog],
    ['snapshots to', facts.snapshots],
    ['restores from', facts.history],
  ]
  return [
    facts.name,
    `  reads ${topic(facts.source)}`,
    ...extra.flatMap(([says, one]) => (one ? [`  ${says} ${topic(one)}`] : [])),
    ...branchText(facts, '  ', width),
  ]
}

function branchText(
  { steps = [], sinks }: { readonly steps?: readonly StepFacts[]; readonly sinks: readonly TopicFacts[] },
  indent: string,
  width: number,
): readonly string[] {
  const items = [
    ...sinks.map((sink) => () => [`→ ${sink.name} (${sink.label})`]),
    ...steps.map((step) => (inner: number) => stepText(step, inner)),
  ]
  return items.flatMap((item, at) => {
    const last = at === items.length - 1
    const [first, ...rest] = item(width - indent.length - 3)
    return [
      `${indent}${last ? '└─ ' : '├─ '}${first}`,
      ...rest.map((line) => `${indent}${last ? '   ' : '│  '}${line}`),
    ]
  })
}

function stepText(step: StepFacts, width: number): string[] {
  const state = step.state ? `, state ${step.state}` : step.kind === 'accumulating' ? ', state in memory' : ''
  const lowers = step.lowers ? `  ⇣ ${step.lowers.from} becomes ${step.lowers.to}` : ''
  const below = step.next.length + step.sinks.length > 0 ? '│ ' : '  '
  return [
    `${step.name}${state}${lowers}`,
    ...wrapped('may drop ', step.drops, width - 2).map((line) => `${below}${line}`),
    ...wrapped('may reject ', step.rejects, width - 2).map((line) => `${below}${line}`),
    ...branchText({ steps: step.next, sinks: step.sinks }, '', width),
  ]
}

/** A list behind its heading, broken between words, the following lines indented to the first word. */
function wrapped(heading: string, words: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  let line = heading
  for (const [at, word] of words.entries()) {
    const text = at === words.length - 1 ? word : `${word}, `
    if (line.length + text.trimEnd().length > width && line.trim() !== heading.trim()) {
      lines.push(line.trimEnd())
      line = ' '.repeat(heading.length)
    }
    line += text
  }
  return words.length === 0 ? [] : [...lines, line]
}
