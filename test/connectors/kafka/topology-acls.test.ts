import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AclBinding, FindingCode } from '../../../connectors/kafka/topology.ts'
import { planTopology } from '../../../connectors/kafka/topology-plan.ts'
import { after, allow, declaration, nothing } from './topology-world.ts'

const declared = declaration()
const applied = after(nothing, planTopology(declared, nothing).steps)
const found = (...extra: AclBinding[]) => planTopology(declared, { ...applied, acls: [...applied.acls!, ...extra] })

const group = { resource: 'group' } as const
const ids = { resource: 'transactional-id' } as const
const prefixed = { pattern: 'prefixed' } as const
const deny = { permission: 'deny' } as const

describe('rights beyond what is declared', () => {
  const cases: readonly (readonly [string, AclBinding, FindingCode, RegExp])[] = [
    [
      'a stranger reads a restricted topic',
      allow('eve', 'read', 'household.readings'),
      'right_foreign',
      /^User:eve may read household\.readings \(pseudonymous\), and is none of our principals: delete/,
    ],
    [
      'everybody reads everything',
      allow('*', 'read', '*'),
      'right_foreign',
      /^everybody may read meter\.frames \(identified\), .* and \d+ more, through a right on all/,
    ],
    [
      'a stranger reads by prefix',
      allow('eve', 'read', 'release.', prefixed),
      'right_foreign',
      /release\.ledger \(aggregate\), through release\.…/,
    ],
    [
      'a stranger writes what is public',
      allow('eve', 'write', 'load.public'),
      'right_foreign',
      /may write load\.public/,
    ],
    [
      'a stranger may do everything with a topic',
      allow('eve', 'all', 'load.public'),
      'right_foreign',
      /do everything with load\.public/,
    ],
    [
      'a stranger changes a retention',
      allow('eve', 'alter-configs', 'release.ledger'),
      'right_foreign',
      /alter-configs release\.ledger/,
    ],
    [
      'a stranger joins the group of a pipeline',
      allow('eve', 'read', 'readings', group),
      'right_foreign',
      /group readings/,
    ],
    [
      'a stranger fences a task',
      allow('eve', 'write', 'load-load.partials-0', ids),
      'right_foreign',
      /transactional ids load-load\.partials-…/,
    ],
    [
      'the analyst reads the ledger',
      allow('analyst', 'read', 'release.ledger'),
      'right_too_wide',
      /^User:analyst may read release\.ledger \(aggregate\), which its role does not need: --remove-acls/,
    ],
    [
      'the analyst reads households',
      allow('analyst', 'read', 'household.readings'),
      'right_too_wide',
      /household\.readings/,
    ],
    [
      'the restricted analyst reads the ledger',
      allow('restricted-analyst', 'read', 'release.ledger'),
      'right_too_wide',
      /release\.ledger/,
    ],
    ['the listener reads frames', allow('listener', 'read', 'meter.frames'), 'right_too_wide', /meter\.frames/],
    [
      'the analyst reads all topics, which is for its maker to mend',
      allow('analyst', 'read', '*'),
      'right_too_wide',
      /through a right on all.*: delete it with the tool/,
    ],
    [
      'the analyst may grant rights',
      allow('analyst', 'alter', 'kafka-cluster', { resource: 'cluster' }),
      'right_too_wide',
      /may alter the cluster/,
    ],
    [
      'the pipelines are denied their input',
      allow('pipelines', 'read', 'meter.frames', deny),
      'right_denied',
      /User:pipelines is denied to read meter\.frames/,
    ],
    [
      'everybody is denied what the listener needs',
      allow('*', 'all', 'meter.frames', { ...deny, host: '10.0.0.1' }),
      'right_denied',
      /from 10\.0\.0\.1/,
    ],
  ]
  for (const [name, acl, code, says] of cases) {
    test(`${name}: named in one sentence`, () => {
      const { steps, refusals, findings } = found(acl)
      assert.deepEqual([steps, refusals, findings.map((one) => one.code)], [[], [], [code]])
      assert.match(findings[0]!.says, says)
    })
  }

  const harmless: readonly (readonly [string, AclBinding])[] = [
    ['a stranger reads what is released', allow('eve', 'read', 'load.public')],
    ['everybody reads what is released', allow('*', 'read', 'forecast.', prefixed)],
    ['a stranger sees that a topic is there', allow('eve', 'describe', 'release.ledger')],
    ['a stranger reads another topic', allow('eve', 'read', 'release.ledgers')],
    ['a stranger joins a group of its own', allow('eve', 'read', 'eve', group)],
    ['a stranger administers the cluster', allow('root', 'alter', 'kafka-cluster', { resource: 'cluster' })],
    ['a declared right stands also for one host', allow('analyst', 'read', 'load.public', { host: '10.0.0.1' })],
    ['a stranger is denied', allow('eve', 'all', '*', deny)],
    ['one of ours reads a topic of others', allow('analyst', 'read', 'weather')],
    ['a right on something else', allow('eve', 'read', 'household.readings', { resource: 'other' })],
  ]
  for (const [name, acl] of harmless) {
    test(`${name}: nothing to say`, () => {
      assert.deepEqual(found(acl), { steps: [], refusals: [], findings: [] })
    })
  }
})

describe('taking rights away', () => {
  const plan = (...extra: AclBinding[]) =>
    planTopology(declared, { ...applied, acls: [...applied.acls!, ...extra] }, { removeAcls: true })

  test('is done where it is asked for, for our principals on our resources, before anything is added', () => {
    const extra = allow('analyst', 'read', 'release.ledger')
    assert.deepEqual(plan(extra), { steps: [{ kind: 'remove-acl', acl: extra }], refusals: [], findings: [] })
    const gone = { ...applied, acls: [...applied.acls!.slice(1), extra] }
    const kinds = planTopology(declared, gone, { removeAcls: true }).steps.map(({ kind }) => kind)
    assert.deepEqual(kinds, ['remove-acl', 'add-acl'])
  })

  test('also takes a denial away that hinders one of ours', () => {
    const extra = allow('pipelines', 'read', 'meter.frames', deny)
    assert.deepEqual(plan(extra).steps, [{ kind: 'remove-acl', acl: extra }])
  })

  for (const [name, acl] of [
    ['of a stranger', allow('eve', 'read', 'release.ledger')],
    ['of everybody', allow('*', 'read', 'release.ledger')],
    ['that reaches further than our topics', allow('analyst', 'read', 'release.', prefixed)],
    ['on the cluster', allow('analyst', 'alter', 'kafka-cluster', { resource: 'cluster' })],
  ] as const) {
    test(`is never done to a right ${name}`, () => {
      const { steps, findings } = plan(acl)
      assert.deepEqual([steps, findings.length], [[], 1])
    })
  }
})

describe('rights that are missing', () => {
  test('are added, and no others', () => {
    const [first, ...others] = applied.acls!
    const { steps } = planTopology(declared, { ...applied, acls: others })
    assert.deepEqual(steps, [{ kind: 'add-acl', acl: first }])
  })
})
