import { setTimeout as pause } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Plan, Step } from '../../connectors/kafka/topology.ts'
import type { Principals } from '../../schemas/access.ts'
import type { Settings } from '../runtime/settings.ts'
import { CliError } from './errors.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { count } from './text.ts'
import type { Topics } from './topics-open.ts'
import { differenceOf, planLines, tally, whatOf } from './topics-text.ts'

interface TopicsFlags {
  readonly settings?: string
  readonly acls?: boolean
  readonly principals?: string
  readonly removeAcls?: boolean
  readonly mayDeleteRecords?: boolean
  readonly json?: boolean
}

interface ApplyFlags extends TopicsFlags {
  readonly expect?: string
}

/** How long brokers may take to show everywhere what they have done, ms. */
const visibleWithinMs = 15_000

/**
 * `meterveil topics plan|apply|drift`: topics, schemas and rights as schemas/ declares them. `plan` and `drift` change
 * nothing; `apply` does all of a plan or, where one step of it is refused, none.
 */
export function addTopics(program: Command): void {
  const group = program
    .command('topics')
    .description('topics of Kafka, their schemas and who may use them, as declared')
  const command = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option('--settings <file>', 'JSON file of settings; METERVEIL_* variables win over it')
      .option('--acls', 'also who may use them')
      .option('--principals <file>', 'JSON file that says which principals hold which roles; implies --acls')
      .option('--remove-acls', 'take away what our principals may do here beyond their roles; implies --acls')
      .option('--may-delete-records', 'shorten retention also where older records are then deleted')
      .option('--json', 'print JSON lines')

  command('plan', 'show what would change, and change nothing').action((flags: TopicsFlags) =>
    withTopics(flags, showPlan),
  )
  command('apply', 'make the brokers and the registry hold what is declared')
    .option('--expect <plan>', 'only if the plan is still the one that `plan` showed by this name', planName)
    .action((flags: ApplyFlags) => withTopics(flags, (topics, terminal) => applyPlan(topics, terminal, flags.expect)))
  command('drift', 'name every difference from what is declared; exit code 1 if there is any').action(
    (flags: TopicsFlags) => withTopics(flags, nameDrift),
  )
}

async function withTopics(
  flags: TopicsFlags,
  work: (topics: Topics, terminal: Terminal) => Promise<void>,
): Promise<void> {
  const { settings: file, principals: mapping, removeAcls = false, mayDeleteRecords = false, json = false } = flags
  const terminal = openTerminal({ json })
  const { readSettings } = await import('../runtime/settings.ts')
  const { openTopics, readPrincipals } = await import('./topics-open.ts')
  const settings: Settings = readSettings({ env: process.env, file: file ?? process.env['METERVEIL_SETTINGS'] })
  const { defaultPrincipals } = await import('../../schemas/access.ts')
  const given = mapping === undefined ? defaultPrincipals : readPrincipals(mapping)
  const acls = flags.acls === true || removeAcls || mapping !== undefined
  const principals: Principals | undefined = acls ? given : undefined
  const topics = openTopics(settings, { principals, removeAcls, mayDeleteRecords })
  try {
    if (!topics.withSchemas) terminal.note('Schemas are left out: registry.url is not set.')
    if (!acls) terminal.note('Rights are left out: --acls looks at them too.')
    await topics.reach()
    await work(topics, terminal)
  } finally {
    await topics.close()
  }
}

/** Shows what would change. Rejects with `CliError` where a step is refused. */
export async function showPlan(topics: Topics, terminal: Terminal): Promise<void> {
  const plan = await topics.plan()
  await show(plan, terminal)
  refuse(plan)
}

async function show(plan: Plan, terminal: Terminal): Promise<void> {
  const { digestOf } = await import('./topics-open.ts')
  const { steps, refusals, findings } = plan
  for (const step of steps) terminal.record({ kind: 'step', what: whatOf(step), step })
  for (const { code, on, says } of refusals) terminal.record({ kind: 'refusal', code, on, says })
  for (const { code, on, says } of findings) terminal.record({ kind: 'finding', code, on, says })
  const [name, counts] = [digestOf(plan), { steps: steps.length, refusals: refusals.length, findings: findings.length }]
  terminal.record({ kind: 'plan', plan: name, ...counts })
  for (const line of planLines(plan, terminal.paint)) terminal.line(line)
  if (steps.length + refusals.length + findings.length > 0) terminal.line()
  terminal.line(steps.length > 0 ? `Plan ${name}: ${tally(steps)}.` : 'Plan: nothing to do.')
}

/** @throws CliError where anything is refused. */
function refuse({ refusals }: Plan): void {
  const [first] = refusals
  if (first === undefined) return
  const more = refusals.length === 1 ? '' : `, and ${count(refusals.length - 1)} more`
  throw new CliError(
    `${first.says}${more}.`,
    'Nothing was changed; apply refuses the whole plan until this is settled.',
  )
}

/**
 * Shows the plan and, unless a step of it is refused, carries it out: once the brokers have checked what they can, and what
 * is there is still what it was. With `expected`, only the plan of that name. Rejects with `CliError`.
 */
export async function applyPlan(topics: Topics, terminal: Terminal, expected?: string): Promise<void> {
  const { digestOf } = await import('./topics-open.ts')
  const shown = await topics.plan()
  await show(shown, terminal)
  refuse(shown)
  if (expected !== undefined && digestOf(shown) !== expected) {
    throw new CliError(`The plan is ${digestOf(shown)} now, not ${expected}.`, 'Nothing was changed; look at it again.')
  }
  if (shown.steps.length === 0) return
  await topics.check(shown.steps)
  const again = await topics.plan()
  if (digestOf(again) !== digestOf(shown) || again.refusals.length > 0) {
    throw new CliError('What is there changed while the plan was made.', 'Nothing was changed by this; apply again.')
  }
  await carryOut(topics, shown.steps, terminal)
  await seen(topics)
  terminal.record({ kind: 'applied', steps: shown.steps.length })
  terminal.line(`Applied: ${count(shown.steps.length)} of ${count(shown.steps.length)} done.`)
}

async function carryOut(topics: Topics, steps: readonly Step[], terminal: Terminal): Promise<void> {
  for (const [at, step] of steps.entries()) {
    try {
      await topics.perform(step)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new CliError(
        `${count(at)} of ${count(steps.length)} were done; then “${whatOf(step)}” failed: ${why}.`,
        'Mend that and apply again: it goes on from there.',
      )
    }
    terminal.record({ kind: 'done', what: whatOf(step) })
  }
}

/** Brokers tell each other what was changed; apply has not ended before all of it can be seen. */
async function seen(topics: Topics): Promise<void> {
  const until = performance.now() + visibleWithinMs
  for (let wait = 20; ; wait = Math.min(wait * 2, 1_000)) {
    const { steps } = await topics.plan()
    const [first] = steps
    if (first === undefined) return
    if (performance.now() + wait > until) {
      throw new CliError(
        `All was done, but afterwards ${differenceOf(first)}.`,
        'Somebody else may be changing it; look with meterveil topics drift.',
      )
    }
    await pause(wait)
  }
}

/** Names every difference, a line each. Rejects with `CliError` if there is any. */
export async function nameDrift(topics: Topics, terminal: Terminal): Promise<void> {
  const { steps, refusals, findings } = await topics.plan()
  const differences = [
    ...steps.map((step) => ({ says: differenceOf(step), mends: true })),
    ...[...refusals, ...findings].map(({ says }) => ({ says, mends: false })),
  ]
  for (const { says, mends } of differences) {
    terminal.record({ kind: 'difference', says, mends })
    terminal.line(mends ? terminal.paint.yellow(`~ ${says}`) : terminal.paint.red(`! ${says}`))
  }
  terminal.record({ kind: 'drift', differences: differences.length })
  if (differences.length === 0) return terminal.line('Everything is as declared.')
  const many = differences.length === 1 ? '1 difference' : `${count(differences.length)} differences`
  const action = differences.some(({ mends }) => mends)
    ? 'meterveil topics apply mends what is marked with ~.'
    : 'Each sentence says what to do.'
  throw new CliError(`${many} from what is declared.`, action)
}

function planName(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text
  throw new InvalidArgumentError('It must be the name of a plan, 12 hexadecimal digits, as `topics plan` shows it.')
}
