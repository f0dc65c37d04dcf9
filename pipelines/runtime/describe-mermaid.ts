import type { Label } from '../../schemas/label.ts'
import type { PipelineFacts, StepFacts, TopicFacts } from './describe.ts'

/** Fill and stroke by label: warm is close to the person, cool is far. */
const colours: Readonly<Record<Label, string>> = {
  identified: 'fill:#fde0dc,stroke:#b3261e,color:#000',
  pseudonymous: 'fill:#fff1cc,stroke:#9a6b00,color:#000',
  aggregate: 'fill:#e3ecfb,stroke:#3a62a8,color:#000',
  released: 'fill:#dff3e1,stroke:#2b7a38,color:#000',
}

/**
 * The topology as a Mermaid flowchart: topics as drums coloured by label, operators as boxes inside their pipeline, a thick
 * arrow where privacy changes, dotted arrows for dead letters, changelogs and snapshots.
 */
export function topologyMermaid(pipelines: readonly PipelineFacts[]): readonly string[] {
  const topics = new Map<string, TopicFacts>()
  const edges: string[] = []
  const boxes = pipelines.flatMap((pipeline) => {
    const lines: string[] = []
    const remember = (topic: TopicFacts) => {
      topics.set(topic.name, topic)
      return topicId(topic)
    }
    const grow = (from: string, steps: readonly StepFacts[], sinks: readonly TopicFacts[]) => {
      for (const sink of sinks) edges.push(`  ${from} --> ${remember(sink)}`)
      for (const step of steps) {
        const id = `${idOf(pipeline.name)}_${idOf(step.name)}`
        lines.push(`    ${id}["${step.name}"]`)
        edges.push(
          step.lowers ? `  ${from} == "${step.lowers.from} → ${step.lowers.to}" ==> ${id}` : `  ${from} --> ${id}`,
        )
        if (step.rejects.length > 0 && pipeline.deadLetters)
          edges.push(`  ${id} -. rejects .-> ${remember(pipeline.deadLetters)}`)
        if (step.kind === 'keyed' && pipeline.changelog)
          edges.push(`  ${id} -. state .-> ${remember(pipeline.changelog)}`)
        if (step.kind === 'accumulating' && pipeline.snapshots)
          edges.push(`  ${id} -. snapshots .-> ${remember(pipeline.snapshots)}`)
        grow(id, step.next, step.sinks)
      }
    }
    grow(remember(pipeline.source), pipeline.steps, pipeline.sinks)
    return [`  subgraph ${idOf(pipeline.name)}["${pipeline.name}"]`, ...lines, '  end']
  })
  return [
    'flowchart LR',
    ...[...topics.values()].map(
      (topic) => `  ${topicId(topic)}[("${topic.name}<br/>${topic.label}")]:::${topic.label}`,
    ),
    ...boxes,
    ...edges,
    ...Object.entries(colours).map(([label, style]) => `  classDef ${label} ${style}`),
  ]
}

const idOf = (name: string) => name.replaceAll(/[^A-Za-z0-9]/g, '_')
const topicId = ({ name }: TopicFacts) => `topic_${idOf(name)}`
