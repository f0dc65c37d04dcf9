import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import { type Log, LogError } from '../../../connectors/contract.ts'
import { alterConfigs } from '../../../connectors/kafka/alter-configs.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { pkiFolder } from '../../../deploy/local/index.ts'
import { CliError } from '../../../pipelines/cli/errors.ts'
import { openTerminal } from '../../../pipelines/cli/terminal.ts'
import { applyPlan, nameDrift, type showPlan } from '../../../pipelines/cli/topics.ts'
import { openTopics, type TopicsOptions } from '../../../pipelines/cli/topics-open.ts'
import { readSettings } from '../../../pipelines/runtime/settings.ts'
import { defaultPrincipals, roles } from '../../../schemas/access.ts'
import { coPartitioned } from '../../../schemas/topic-rules.ts'
import { commitAll, eventually, record, rejectsWith, text } from '../../conformance/log-harness.ts'
import { ownServices } from '../../helpers/services.ts'
import { meterveil } from './command.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
const actors = ['listener', 'pipelines', 'analyst', 'restricted-analyst', 'auditor', 'deployer'] as const
type Actor = (typeof actors)[number] | 'admin'

const real = await ownServices({ kafka: true, registry: true }, { principals: actors })
after(() => real.stop())

const principals = { ...defaultPrincipals, deployer: ['User:deployer'] }

describe('topics on a secured Kafka with a registry', { skip: real.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'topics-'))
  const logs: Log[] = []
  let kafka: Kafka
  let admin: Admin
  let registryUrl = ''

  /** Settings of a deployment as a principal, as the JSON file has them. */
  const settingsOf = (actor: Actor, other: object = {}) => {
    const pki = pkiFolder(dirname(real.folder('kafka')))
    const file = (name: string) => join(pki, name)
    const brokers = real.address('kafka').split(',')
    return {
      mode: 'development',
      partitions: 2,
      kafka: {
        brokers,
        tls: true,
        caFile: file('ca.crt'),
        certFile: file(`${actor}.crt`),
        keyFile: file(`${actor}.key`),
      },
      registry: { url: registryUrl },
      ...other,
    }
  }
  interface Ran {
    readonly code: number
    /** Standard output, and the sentence of the error. */
    readonly says: string
  }
  /** What the command would print and how it would end, without a process of its own. */
  const ran = async (
    command: typeof showPlan,
    options: Partial<TopicsOptions> = {},
    { actor = 'deployer', other = {} }: { actor?: Actor; other?: object } = {},
  ): Promise<Ran> => {
    const read = () => JSON.stringify(settingsOf(actor, other))
    const topics = openTopics(readSettings({ env: {}, file: 'settings.json', read }), { principals, ...options })
    let says = ''
    const terminal = openTerminal({ stdout: { write: (text) => (says += text) } })
    try {
      await command(topics, terminal)
      return { code: 0, says }
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      return { code: error.exitCode, says: `${says}${error.message}` }
    } finally {
      await topics.close()
    }
  }
  type How = [options?: Partial<TopicsOptions>, as?: { actor?: Actor; other?: object }]
  const drift = (...how: How) => ran(nameDrift, ...how)
  const apply = (...how: How) => ran(applyPlan, ...how)

  const logOf = (actor: Actor): Log => {
    const { ca, cert, key } = real.credentials(actor)
    const log = kafkaLog({ brokers: real.address('kafka').split(','), ssl: { ca, cert, key }, deadlineMs: 10_000 })
    logs.push(log)
    return log
  }
  const acl = (principal: string, topic: string) => ({
    principal: `User:${principal}`,
    host: '*',
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW,
  })
  const configOf = async (topic: string, name: string): Promise<string | undefined> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    })
    return resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue
  }
  /** A right that has just been granted takes a moment to reach the broker's authorizer. */
  const granted = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await call()
      } catch (error) {
        if (tries === 100 || !(error instanceof LogError) || error.code !== 'unauthorized') throw error
        await pause(100)
      }
    }
  }
  /** Rejects unless the topic may be read, whether or not it holds anything. */
  const looked = async (log: Log, topic: string): Promise<void> => {
    const reader = await log.read(topic, 0, 0n, 'read_committed')
    await reader.poll({ maxRecords: 1, maxBytes: 100_000, waitMs: 1 }).finally(reader.close)
  }
  const first = async (log: Log, topic: string): Promise<string | null> => {
    const reader = await log.read(topic, 0, 0n, 'read_committed')
    try {
      const values: (string | null)[] = []
      await eventually(`${topic} holds a record`, async () => {
        const { records } = await reader.poll({ maxRecords: 1, maxBytes: 100_000, waitMs: 200 })
        values.push(...records.map(({ value }) => text(value)))
        return values.length > 0
      })
      return values[0]!
    } finally {
      await reader.close()
    }
  }

  before(async () => {
    registryUrl = real.address('registry')
    const { ca, cert, key } = real.credentials('admin')
    kafka = new kafkajs.Kafka({
      brokers: real.address('kafka').split(','),
      ssl: { ca, cert, key },
      logLevel: kafkajs.logLevel.NOTHING,
    })
    admin = kafka.admin()
    await admin.connect()
  })
  after(async () => {
    await Promise.all(logs.map((log) => log.close()))
    await admin?.disconnect()
    rmSync(folder, { recursive: true, force: true })
  })

  test('are planned, applied once by the command, and then as declared, also in the eyes of the deployer', async () => {
    const [settings, mapping] = [join(folder, 'settings.json'), join(folder, 'principals.json')]
    writeFileSync(settings, JSON.stringify(settingsOf('admin')))
    writeFileSync(mapping, JSON.stringify({ deployer: principals.deployer }))
    const args = ['--settings', settings, '--principals', mapping]
    const planned = meterveil(['topics', 'plan', ...args])
    assert.equal(planned.code, 0, planned.stderr)
    assert.match(planned.stdout, /^\+ topic meter\.frames: 2 partitions, 1 replica, kept 7 days, append times$/m)
    assert.match(planned.stdout, /^\+ User:listener may write meter\.frames$/m)
    assert.ok(!planned.stdout.includes('\u001b['), 'no colours where there is no terminal')
    const [, name = ''] = /^Plan ([0-9a-f]{12}): \d+ to add\.$/m.exec(planned.stdout) ?? []
    assert.deepEqual(await admin.listTopics(), [])

    const other = meterveil(['topics', 'apply', ...args, '--expect', '0123456789ab'])
    assert.equal(other.code, 1)
    assert.match(other.stderr, new RegExp(`The plan is ${name} now, not 0123456789ab\\.`))
    assert.deepEqual(await admin.listTopics(), [])

    const applied = meterveil(['topics', 'apply', ...args, '--json', '--expect', name])
    assert.equal(applied.code, 0, applied.stderr)
    const facts = applied.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly kind: string })
    const done = facts.filter(({ kind }) => kind === 'done').length
    assert.deepEqual(facts.at(-1), { kind: 'applied', steps: done })
    assert.equal(facts.filter(({ kind }) => kind === 'step').length, done)

    const again = await granted(() => apply())
    assert.deepEqual(again, { code: 0, says: 'Plan: nothing to do.\n' })
    assert.deepEqual(await drift(), { code: 0, says: 'Everything is as declared.\n' })
  })

  test('let the listener send frames, and neither read them nor begin transactions', async () => {
    const listener = logOf('listener')
    await granted(() => listener.append([record('meter.frames', 'frame')]))
    await rejectsWith('unauthorized', () => first(listener, 'meter.frames'))
    await rejectsWith('unauthorized', () => listener.append([record('meter.accepted', 'x')]))
    await rejectsWith('unauthorized', () => listener.open('readings-meter.frames-0', { timeoutMs: 10_000 }))
  })

  test('let the pipelines join, transact, and write every topic of theirs', async () => {
    const log = logOf('pipelines')
    const owned: number[] = []
    const handlers = { assigned: async (all: readonly number[]) => void owned.push(...all), revoked: async () => {} }
    const membership = await granted(() => log.join('readings', 'meter.frames', handlers))
    await eventually('both partitions are assigned', () => owned.length === 2)
    await membership.leave()
    assert.equal(await first(log, 'meter.frames'), 'frame')
    const transactor = await log.open('readings-meter.frames-0', { timeoutMs: 10_000 })
    await transactor.begin()
    await transactor.sendOffsets('readings', 'meter.frames', 0, 1n)
    const outputs = ['household.readings', 'load.partials', 'meter.accepted', 'meter.rejected', 'meter.frames']
    await transactor.send(outputs.map((topic) => record(topic, topic)))
    await transactor.commit()
    await transactor.close()
    assert.equal(await log.committed('readings', 'meter.frames', 0), 1n)
    for (const [id, topics] of [
      ['load-load.partials-0', ['load.state', 'load.restricted', 'release.ledger']],
      ['publish-release.ledger-0', ['publish.state', 'load.public']],
      ['forecast-load.public-0', ['forecast.state', 'forecast.public']],
    ] as const) {
      const transactor = await log.open(id, { timeoutMs: 10_000 })
      await commitAll(
        transactor,
        topics.map((topic) => record(topic, topic, 0, 'key')),
      )
      await transactor.close()
    }
    for (const pipeline of ['readings', 'load', 'publish', 'forecast'] as const) {
      for (const topic of roles[pipeline].reads) await looked(log, topic)
    }
    assert.equal(await first(log, 'release.ledger'), 'release.ledger')
    await rejectsWith('unauthorized', () => log.open('other-meter.frames-0', { timeoutMs: 10_000 }))
    await rejectsWith('unauthorized', () => log.append([record('meter.register', 'x', 0, 'key')]))
    await rejectsWith('unauthorized', () => log.append([record('audit', 'x')]))
  })

  test('let readers read what is theirs, in groups of theirs, and nothing else', async () => {
    for (const [actor, may, mayNot] of [
      ['analyst', ['load.public', 'forecast.public'], ['load.restricted', 'household.readings', 'release.ledger']],
      [
        'restricted-analyst',
        ['load.public', 'load.restricted', 'household.readings'],
        ['release.ledger', 'load.partials', 'meter.frames'],
      ],
      ['auditor', ['release.ledger', 'load.public'], ['household.readings', 'load.restricted', 'meter.rejected']],
    ] as const) {
      const log = logOf(actor)
      for (const topic of may) assert.equal(await granted(() => first(log, topic)), topic, `${actor} ${topic}`)
      for (const topic of mayNot) await rejectsWith('unauthorized', () => first(log, topic))
      const owned: number[] = []
      const handlers = { assigned: async (all: readonly number[]) => void owned.push(...all), revoked: async () => {} }
      const membership = await log.join(`${actor}-1`, 'load.public', handlers)
      await eventually(`${actor} has its partition`, () => owned.length === 1)
      await membership.leave()
      await rejectsWith('unauthorized', () => log.join('forecast', 'load.public', handlers))
      await rejectsWith('unauthorized', () => log.append([record('load.public', 'x', 0, 'key')]))
    }
  })

  test('take local dates that begin before their UTC date does', async () => {
    const log = logOf('pipelines')
    const ahead = { ...record('household.readings', 'tomorrow'), timestamp: Date.now() + 13 * 3_600_000 }
    await log.append([ahead])
    const plain = { ...ahead, topic: 'plain.dates' }
    const asAdmin = logOf('admin')
    await admin.createTopics({ topics: [{ topic: plain.topic, numPartitions: 1 }], waitForLeaders: false })
    await eventually('it is there', async () => (await asAdmin.partitions(plain.topic).catch(() => 0)) === 1)
    await rejectsWith('record_invalid', () => asAdmin.append([plain]))
  })

  test('name what was changed by hand, mend it, and leave alone what nobody declared', async () => {
    await alterConfigs(kafka, [
      { topic: 'meter.frames', name: 'retention.ms', value: '86400000' },
      { topic: 'meter.frames', name: 'segment.ms', value: '123456789' },
    ])
    await admin.deleteAcls({ filters: [acl('analyst', 'load.public')] })
    await admin.createAcls({ acl: [acl('analyst', 'release.ledger'), acl('eve', 'household.readings')] })
    await admin.deleteTopics({ topics: ['audit'] })
    const expected = [
      /^~ retention\.ms of meter\.frames is 1 day, and 7 days is declared$/m,
      /^~ there is no topic audit$/m,
      /^~ it is declared that User:analyst may read load\.public, and no right says so$/m,
      /^! User:analyst may read release\.ledger \(aggregate\), which its role does not need: --remove-acls/m,
      /^! User:eve may read household\.readings \(pseudonymous\), and is none of our principals: /m,
      /5 differences from what is declared/,
    ]
    let found: Ran = { code: 0, says: '' }
    await eventually('all of it can be seen', async () => {
      found = await drift()
      return expected.every((line) => line.test(found.says))
    })
    assert.equal(found.code, 1)

    const mended = await apply()
    assert.equal(mended.code, 0, mended.says)
    assert.match(mended.says, /^~ topic meter\.frames: retention\.ms 1 day → 7 days$/m)
    assert.equal(await configOf('meter.frames', 'segment.ms'), '123456789')
    assert.equal(await configOf('meter.frames', 'retention.ms'), String(7 * 86_400_000))
    assert.match((await drift()).says, /2 differences/)
    const taken = await apply({ removeAcls: true })
    assert.equal(taken.code, 0, taken.says)
    assert.match(taken.says, /^- User:analyst may read release\.ledger$/m)
    const left = await drift()
    assert.equal(left.code, 1)
    assert.match(left.says, /User:eve .*\n1 difference from/)
    await admin.deleteAcls({ filters: [acl('eve', 'household.readings')] })
    await eventually('nothing differs', async () => (await drift()).code === 0)
  })

  test('refuse the whole of a plan that would delete records, until that is asked for', async () => {
    await alterConfigs(kafka, [{ topic: 'meter.frames', name: 'retention.ms', value: '-1' }])
    await admin.deleteAcls({ filters: [acl('analyst', 'load.public')] })
    await eventually('both can be seen', async () => /2 differences/.test((await drift()).says))
    const before = await drift()
    const refused = await apply()
    assert.equal(refused.code, 1)
    assert.match(refused.says, /meter\.frames is kept for ever, and to keep it for 7 days deletes what is older/)
    assert.deepEqual(await drift(), before)
    assert.equal(await configOf('meter.frames', 'retention.ms'), '-1')
    const asked = await apply({ mayDeleteRecords: true })
    assert.equal(asked.code, 0, asked.says)
    assert.equal((await drift()).code, 0)
  })

  test('grow together, and are refused where one has grown alone', async () => {
    await admin.createPartitions({ topicPartitions: [{ topic: 'meter.accepted', count: 3 }] })
    await eventually('it can be seen', async () => (await drift()).code === 1)
    const refused = await apply()
    assert.equal(refused.code, 1)
    assert.match(refused.says, /meter\.accepted has 3 partitions, and 2 are declared, but partitions only ever grow/)
    const other = { partitions: 3 }
    const grown = await apply({}, { other })
    assert.equal(grown.code, 0, grown.says)
    const { topics } = await admin.fetchTopicMetadata({ topics: [...coPartitioned[0]!] })
    assert.deepEqual([...new Set(topics.map(({ partitions }) => partitions.length))], [3])
    assert.equal((await drift({}, { other })).code, 0)
  })

  test('are refused where a schema could not read what is written, before anything is changed', async () => {
    const other = { partitions: 4 }
    const subject = `${registryUrl}/subjects/audit-value`
    const rest = async (method: string, url: string, body?: object) => {
      const answer = await fetch(url, {
        method,
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      assert.ok(answer.ok, `${method}: ${answer.status}`)
    }
    await rest('DELETE', subject)
    const schema = JSON.stringify({ type: 'record', name: 'Foreign', fields: [{ name: 'only', type: 'string' }] })
    await rest('POST', `${subject}/versions`, { schema })
    await rest('PUT', `${registryUrl}/config/audit-value`, { compatibility: 'BACKWARD' })
    const refused = await apply({}, { other })
    assert.equal(refused.code, 1)
    assert.match(
      refused.says,
      /audit-value could not read what is written under its newest version: give every new field/,
    )
    const { topics } = await admin.fetchTopicMetadata({ topics: ['meter.frames'] })
    assert.equal(topics[0]?.partitions.length, 3, 'the growth that the plan also held was not done')
  })

  test('are not laid out by one who may not', async () => {
    await assert.rejects(drift({}, { actor: 'analyst' }), { code: 'unauthorized' })
  })
})
