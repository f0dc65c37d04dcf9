import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { knownPipelines } from '../../pipelines/cli/known-pipelines.ts'
import type { Pipeline } from '../../pipelines/runtime/stream.ts'
import { walk } from '../../pipelines/runtime/stream.ts'
import { transactionalId } from '../../pipelines/runtime/task.ts'
import {
  defaultPrincipals,
  type Principals,
  principalProblems,
  type Role,
  rightsOf,
  roleNames,
  roles,
} from '../../schemas/access.ts'
import type { Label } from '../../schemas/label.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'

const names = topicSpecs(1).map(({ name }) => name)
const labelOf = new Map<string, Label>(Object.values(topics).map(({ name, label }) => [name, label]))

/** Whose operators look meters or groups up. */
const lookUp = ['readings', 'load']

/** What the runtime reads and writes for a pipeline. */
function usesOf({ name, source, nodes, options }: Pipeline) {
  const { changelog, covers, state, history, rejects } = options
  const sinks = [...walk(nodes)].flatMap((node) => (node.kind === 'sink' ? [node.topic] : []))
  const sorted = (used: readonly ({ readonly name: string } | undefined)[]) =>
    [...new Set(used.flatMap((topic) => (topic ? [topic.name] : [])))].toSorted()
  return {
    reads: sorted([
      source,
      changelog,
      covers,
      state,
      history?.topic,
      lookUp.includes(name) ? topics.meterRegister : undefined,
    ]),
    writes: sorted([...sinks, changelog, state, rejects]),
  }
}

const readersOf = (name: string): readonly Role[] =>
  roleNames.filter((role) => (roles[role].reads as readonly string[]).includes(name))

describe('roles', () => {
  test('have exactly the rights that the pipelines use', async () => {
    for (const pipeline of await knownPipelines()) {
      const role = roles[pipeline.name as Role]
      assert.deepEqual(
        { reads: [...role.reads].toSorted(), writes: [...role.writes].toSorted(), source: role.source },
        { ...usesOf(pipeline), source: pipeline.source.name },
        pipeline.name,
      )
      const rights = rightsOf(pipeline.name as Role, names)
      const on = (kind: string) => rights.filter(({ resource }) => resource === kind)
      assert.deepEqual(
        on('group').map(({ name, pattern }) => [name, pattern]),
        [[pipeline.name, 'literal']],
      )
      const [ids] = on('transactional-id')
      assert.ok(ids && transactionalId(pipeline, 17).startsWith(ids.name) && ids.name.endsWith('-'), pipeline.name)
    }
  })

  test('let only [load], [publish] and the auditor read the ledger', () => {
    assert.deepEqual(readersOf('release.ledger').toSorted(), ['auditor', 'load', 'publish'])
  })

  test('let nobody but the pipelines read what is identified, except the register its writer and refused frames whoever looks into them or replays them', () => {
    for (const name of names.filter((name) => labelOf.get(name) === 'identified')) {
      const readers = readersOf(name).filter((role) => role !== 'readings')
      const expected: Readonly<Record<string, readonly Role[]>> = {
        'meter.register': ['register', 'load'],
        'meter.rejected': ['support', 'replayer'],
      }
      assert.deepEqual(readers, expected[name] ?? [], name)
    }
  })

  test('let the analyst read released topics alone, and nothing be written by a reader', () => {
    assert.deepEqual([...new Set(roles.analyst.reads.map((name) => labelOf.get(name)))], ['released'])
    for (const role of ['analyst', 'restricted-analyst', 'auditor', 'support'] as const) {
      const operations = rightsOf(role, names).flatMap(({ operations }) => operations)
      assert.deepEqual([...new Set(operations)], ['read'], role)
    }
  })

  test('let whoever replays read refused frames and write frames, and nothing else', () => {
    assert.deepEqual(
      rightsOf('replayer', names).map(({ name, operations }) => [name, ...operations]),
      [
        ['meter.frames', 'write'],
        ['meter.rejected', 'read'],
      ],
    )
  })

  test('let the listener write frames and do nothing else', () => {
    assert.deepEqual(rightsOf('listener', names), [
      { resource: 'topic', name: 'meter.frames', pattern: 'literal', operations: ['write'] },
    ])
  })

  test('let the deployer lay out topics and grant rights, but neither read nor write a record', () => {
    const operations = rightsOf('deployer', names).flatMap(({ operations }) => operations)
    assert.ok(!operations.includes('read') && !operations.includes('write'))
    assert.ok(operations.includes('alter'))
  })

  test('say each right on a resource once, and only on topics that there are', () => {
    for (const role of roleNames) {
      const ids = rightsOf(role, names).map(({ resource, name }) => `${resource} ${name}`)
      assert.equal(new Set(ids).size, ids.length, role)
      for (const name of [...roles[role].reads, ...roles[role].writes]) assert.ok(names.includes(name), name)
    }
  })
})

describe('principals', () => {
  const cases: readonly (readonly [string, Partial<Principals>, readonly RegExp[]])[] = [
    ['by default are fine', {}, []],
    ['may be several of one role', { analyst: ['User:CN=anna,O=Utility', 'User:CN=bert,O=Utility'] }, []],
    ['may run everything that feeds and runs the pipelines', { listener: ['User:one'], register: ['User:one'] }, []],
    ['may each run one pipeline', { readings: ['User:r'], load: ['User:l'], publish: ['User:p'] }, []],
    ['may not be everybody', { analyst: ['User:*'] }, [/analyst: User:\* must be one principal/]],
    ['are named as brokers name them', { auditor: ['auditor'] }, [/auditor: auditor must be/]],
    [
      'may not read what comes out and hold what went in',
      { analyst: ['User:pipelines'] },
      [/User:pipelines is both analyst and readings/],
    ],
    ['may not be analyst and auditor', { auditor: ['User:analyst'] }, [/User:analyst is both analyst and auditor/]],
    [
      'may not grant rights beside another role',
      { deployer: ['User:listener'] },
      [/User:listener is both deployer and listener/],
    ],
  ]
  for (const [name, change, expected] of cases) {
    test(name, () => {
      const problems = principalProblems({ ...defaultPrincipals, ...change })
      assert.equal(problems.length, expected.length, problems.join('\n'))
      for (const [at, says] of expected.entries()) assert.match(problems[at]!, says)
    })
  }
})
