import type { AclBinding, Configs, Plan, Step } from '../../connectors/kafka/topology.ts'
import type { Paint } from './terminal.ts'
import { count } from './text.ts'

const day = 86_400_000

/** A value of a setting for a reader: times in days. */
function shown(name: string, value: string | undefined): string {
  if (value === undefined) return 'unknown'
  if (!name.endsWith('.ms')) return value
  const ms = Number(value)
  if (ms < 0 || ms >= Number.MAX_SAFE_INTEGER) return 'for ever'
  return ms > 0 && ms % day === 0 ? plural(ms / day, 'day') : `${count(ms)} ms`
}

const plural = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? '' : 's'}`

function rightOf({ principal, host, resource, name, pattern, operation, permission }: AclBinding): string {
  const whose = resource === 'topic' ? '' : resource === 'cluster' ? 'the ' : `${resource.replace('-', ' ')} `
  const what = resource === 'cluster' ? 'cluster' : `${name}${pattern === 'prefixed' ? '…' : ''}`
  const from = host === '*' ? '' : ` from ${host}`
  return `${principal} ${permission === 'deny' ? 'may not' : 'may'} ${operation} ${whose}${what}${from}`
}

const layoutOf = (partitions: number, replicas: number, configs: Configs): string => {
  const kept =
    configs['retention.ms'] === '-1' ? 'kept for ever' : `kept ${shown('retention.ms', configs['retention.ms'])}`
  return [
    plural(partitions, 'partition'),
    plural(replicas, 'replica'),
    configs['cleanup.policy'] === 'compact' ? 'compacted' : kept,
    configs['message.timestamp.type'] === 'LogAppendTime' ? 'append times' : "producers' times",
  ].join(', ')
}

/** What a step does, for instance `topic audit: retention.ms 7 days → 400 days`. */
export function whatOf(step: Step): string {
  switch (step.kind) {
    case 'register-schema':
      return `schema ${step.subject}: ${step.standing === 'new' ? 'first version' : 'next version'}`
    case 'create-topic':
      return `topic ${step.topic}: ${layoutOf(step.partitions, step.replicationFactor, step.configs)}`
    case 'grow-topic':
      return `topic ${step.topic}: ${plural(step.from, 'partition')} → ${step.to}`
    case 'change-config':
      return `topic ${step.topic}: ${step.name} ${shown(step.name, step.from)} → ${shown(step.name, step.to)}`
    case 'add-acl':
    case 'remove-acl':
      return rightOf(step.acl)
  }
}

/** What is wrong where a step is due, as a sentence. */
export function differenceOf(step: Step): string {
  switch (step.kind) {
    case 'register-schema':
      return step.standing === 'new'
        ? `the registry holds no schema of ${step.subject}`
        : `the registry lacks the newest schema of ${step.subject}`
    case 'create-topic':
      return `there is no topic ${step.topic}`
    case 'grow-topic':
      return `${step.topic} has ${plural(step.from, 'partition')}, and ${step.to} are declared`
    case 'change-config':
      return `${step.name} of ${step.topic} is ${shown(step.name, step.from)}, and ${shown(step.name, step.to)} is declared`
    case 'add-acl':
      return `it is declared that ${rightOf(step.acl)}, and no right says so`
    case 'remove-acl':
      return `${rightOf(step.acl)}, which its role does not need`
  }
}

const signs: Readonly<Record<Step['kind'], '+' | '-' | '~'>> = {
  'register-schema': '+',
  'create-topic': '+',
  'add-acl': '+',
  'remove-acl': '-',
  'grow-topic': '~',
  'change-config': '~',
}

const colours = { '+': 'green', '-': 'red', '~': 'yellow' } as const

/** A plan as a diff, in the order in which it is carried out, then why it is not, then what it leaves as it is. */
export function planLines({ steps, refusals, findings }: Plan, paint: Paint): readonly string[] {
  const lines = steps.map((step) => {
    const sign = signs[step.kind]
    return paint[colours[sign]](`${sign} ${whatOf(step)}`)
  })
  if (refusals.length > 0) lines.push('', paint.bold('Refused:'), ...refusals.map(({ says }) => paint.red(`! ${says}`)))
  if (findings.length > 0) {
    lines.push('', paint.bold('Differs, and stays as it is:'), ...findings.map(({ says }) => paint.yellow(`? ${says}`)))
  }
  return lines
}

/** How many steps of which kind: `14 to add, 2 to change, 1 to take away`. */
export function tally(steps: readonly Step[]): string {
  const of = (sign: string) => steps.filter(({ kind }) => signs[kind] === sign).length
  const parts = [
    [of('+'), 'to add'],
    [of('~'), 'to change'],
    [of('-'), 'to take away'],
  ] as const
  const told = parts.flatMap(([n, what]) => (n > 0 ? [`${count(n)} ${what}`] : []))
  return told.length > 0 ? told.join(', ') : 'nothing to do'
}
