import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LogError } from '../../../connectors/contract.ts'
import type { Step, Topology } from '../../../connectors/kafka/topology.ts'
import { planTopology } from '../../../connectors/kafka/topology-plan.ts'
import { CliError } from '../../../pipelines/cli/errors.ts'
import { openTerminal } from '../../../pipelines/cli/terminal.ts'
import { applyPlan, nameDrift } from '../../../pipelines/cli/topics.ts'
import type { Topics } from '../../../pipelines/cli/topics-open.ts'
import { after, allow, declaration, nothing, withConfig } from '../../connectors/kafka/topology-world.ts'

const declared = declaration({ partitions: 2 })

/** Brokers and a registry in memory. `between` happens after each look at them. */
function world(start: Topology, { between = (now: Topology) => now, fail = (_: Step) => {}, check = () => {} } = {}) {
  let now = start
  const done: Step[] = []
  const topics: Topics = {
    withSchemas: true,
    reach: async () => {},
    plan: async () => {
      const plan = planTopology(declared, now)
      now = between(now)
      return plan
    },
    check: async () => check(),
    perform: async (step) => {
      fail(step)
      done.push(step)
      now = after(now, [step])
    },
    close: async () => {},
  }
  return { topics, done }
}

function terminal(tty = false) {
  let text = ''
  const stdout = { isTTY: tty, columns: 100, write: (more: string) => (text += more) }
  return { open: openTerminal({ stdout, env: {} }), text: () => text }
}

const applied = after(nothing, planTopology(declared, nothing).steps)

describe('apply', () => {
  test('does exactly what it has shown, in that order', async () => {
    const { topics, done } = world(nothing)
    const { open, text } = terminal()
    await applyPlan(topics, open)
    assert.deepEqual(done, planTopology(declared, nothing).steps)
    const shown = text()
      .split('\n')
      .filter((line) => line.startsWith('+'))
    assert.equal(shown.length, done.length)
    assert.match(text(), new RegExp(`Applied: ${done.length} of ${done.length} done\\.\n$`))
  })

  test('does nothing where what is there changed since it was shown', async () => {
    const between = (now: Topology) => (now.topics.size === 0 ? now : withConfig(now, 'audit', 'retention.ms', '1'))
    const { topics, done } = world({ ...applied, schemas: new Map() }, { between })
    await assert.rejects(applyPlan(topics, terminal().open), { name: 'CliError', message: /changed while the plan/ })
    assert.deepEqual(done, [])
  })

  test('does nothing where the brokers would refuse a part of it', async () => {
    const check = () => {
      throw new LogError('topic_differs', 'checking new topics: Replication factor is larger than available brokers')
    }
    const { topics, done } = world(nothing, { check })
    await assert.rejects(applyPlan(topics, terminal().open), { name: 'LogError' })
    assert.deepEqual(done, [])
  })

  test('does nothing where one of its steps is refused', async () => {
    const start = {
      ...applied,
      acls: [],
      schemas: new Map(applied.schemas).set('audit-value', 'incompatible' as const),
    }
    const { topics, done } = world(start)
    const { open, text } = terminal()
    await assert.rejects(applyPlan(topics, open), { name: 'CliError', message: /^audit-value could not read/ })
    assert.deepEqual(done, [])
    assert.match(text(), /^Refused:\n! audit-value could not read/m)
  })

  test('cut short, says how far it came, and goes on from there', async () => {
    let down = true
    const fail = (step: Step) => {
      if (down && step.kind === 'create-topic' && step.topic === 'meter.accepted') throw new Error('no broker')
    }
    const { topics, done } = world(nothing, { fail })
    const failure = await applyPlan(topics, terminal().open).catch((error: unknown) => error)
    assert.ok(failure instanceof CliError)
    assert.match(
      failure.message,
      new RegExp(`^${done.length} of \\d+ were done; then “topic meter\\.accepted: 2 .*” failed: no broker\\.$`),
    )
    assert.ok(!done.some((step) => step.kind === 'create-topic' && step.topic === 'meter.frames'))
    down = false
    await applyPlan(topics, terminal().open)
    assert.deepEqual(done, planTopology(declared, nothing).steps)
  })
})

describe('what is printed', () => {
  const extra = [allow('eve', 'read', 'household.readings')]
  const changed = withConfig({ ...applied, acls: [...applied.acls!.slice(1), ...extra] }, 'audit', 'retention.ms', '1')

  test('is coloured on a terminal alone', async () => {
    for (const tty of [true, false]) {
      const { open, text } = terminal(tty)
      await assert.rejects(nameDrift(world(changed).topics, open), { message: '3 differences from what is declared.' })
      assert.equal(text().includes('\u001b['), tty)
    }
  })

  test('names each difference once, in words', async () => {
    const { open, text } = terminal()
    await assert.rejects(nameDrift(world(changed).topics, open), { name: 'CliError', exitCode: 1 })
    assert.match(text(), /^~ retention\.ms of audit is 1 ms, and 400 days is declared$/m)
    assert.match(text(), /^~ it is declared that User:\S+ may .*, and no right says so$/m)
    assert.match(text(), /^! User:eve may read household\.readings \(pseudonymous\)/m)
    assert.equal(text().trimEnd().split('\n').length, 3)
  })
})
