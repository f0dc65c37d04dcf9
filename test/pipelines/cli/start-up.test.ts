// What is wrong with a deployment over real services ends `run` with one sentence; with everything right it runs, and twice.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { type TopicName, topics } from '../../../schemas/topics.ts'
import { ownServices } from '../../helpers/services.ts'
import { bin, start } from './command.ts'
import { intervalsOf } from './data-folder.ts'
import { expectedIntervals, partitions, writeFleet } from './fleet-files.ts'
import { credentialFiles, ends, passwordFiles } from './secured-deployment.ts'
import { lacking, principals, startUpStage } from './start-up-stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-start-up-'))
after(() => rmSync(folder, { recursive: true }))
const fleet = writeFleet(folder)
const own = await ownServices({ kafka: true, registry: true, redis: true }, { principals })
after(() => own.stop())

describe('a deployment over real services', { skip: own.skip }, () => {
  let stage: Awaited<ReturnType<typeof startUpStage>>
  const everyTopic = Object.values(topics).map(({ name }) => name)
  before(async () => {
    stage = await startUpStage(own, folder, fleet)
  })
  after(() => stage?.close())
  const refuses = (...args: Parameters<typeof stage.refuses>) => stage.refuses(...args)

  describe('the way to Kafka', () => {
    test('a broker that nobody answers at', () =>
      refuses(
        { METERVEIL_KAFKA_BROKERS: '127.0.0.1:1' },
        'no broker answers at 127.0.0.1:1: start Kafka, or correct kafka.brokers',
      ))

    test('a wrong password', () =>
      refuses(
        {
          METERVEIL_KAFKA_CERT_FILE: undefined,
          METERVEIL_KAFKA_KEY_FILE: undefined,
          ...passwordFiles(own, folder, 'pipelines', 'wrong-secret'),
        },
        'Kafka refuses the user: check kafka.sasl.username, kafka.sasl.mechanism and the password in kafka.sasl.passwordFile',
      ))

    test('no user where one is wanted', () =>
      refuses(
        {
          METERVEIL_KAFKA_CERT_FILE: undefined,
          METERVEIL_KAFKA_KEY_FILE: undefined,
          METERVEIL_KAFKA_BROKERS: own.saslAddress(),
        },
        `the brokers at ${own.saslAddress()} gave no answer within 5 s: check kafka.brokers and kafka.tls, and, where they want a user, kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.passwordFile`,
      ))

    test('no certificate where one is wanted', () =>
      refuses(
        { METERVEIL_KAFKA_CERT_FILE: undefined, METERVEIL_KAFKA_KEY_FILE: undefined },
        `TLS with the brokers at ${own.address('kafka')} failed with ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE: check kafka.caFile, kafka.certFile and kafka.keyFile`,
      ))

    test('an authority that did not sign the broker', () =>
      refuses(
        { METERVEIL_KAFKA_CA_FILE: undefined },
        `TLS with the brokers at ${own.address('kafka')} failed with SELF_SIGNED_CERT_IN_CHAIN: check kafka.caFile, kafka.certFile and kafka.keyFile`,
      ))

    test('a broker that wants TLS, spoken to in plain', () =>
      refuses(
        {
          METERVEIL_MODE: 'development',
          METERVEIL_KAFKA_TLS: undefined,
          METERVEIL_KAFKA_CA_FILE: undefined,
          METERVEIL_KAFKA_CERT_FILE: undefined,
          METERVEIL_KAFKA_KEY_FILE: undefined,
        },
        `the brokers at ${own.address('kafka')} speak TLS: set kafka.tls to true, or name another listener`,
      ))

    test('TLS spoken to what does not speak it', () => {
      const { host } = new URL(own.address('redis'))
      return refuses(
        { METERVEIL_KAFKA_BROKERS: host },
        `the brokers at ${host} do not speak TLS: name their TLS listener in kafka.brokers`,
      )
    })
  })

  describe('topics and rights', () => {
    const late: readonly TopicName[] = ['load.state', 'forecast.public']
    const special: readonly TopicName[] = ['meter.frames', 'meter.accepted']

    test('missing topics', async () => {
      await stage.admin.create(
        everyTopic.filter((name) => ![...late, ...special].includes(name)),
        partitions,
      )
      await stage.admin.create(['meter.frames'], partitions, { 'message.timestamp.type': 'CreateTime' })
      await stage.admin.create(['meter.accepted'], 1, { 'retention.ms': '604800000' })
      await refuses(
        {},
        'Kafka has no topics load.state, forecast.public: run npx meterveil topics apply, which creates what is missing',
      )
      await stage.admin.create(late, partitions)
    })

    for (const [principal, [role, , rights]] of Object.entries(lacking)) {
      test(`a principal with ${principal}`, () =>
        refuses(
          credentialFiles(own, folder, principal),
          `Kafka does not grant this principal ${rights}: grant it with npx meterveil topics apply --acls, or name another user in kafka.sasl.username or kafka.certFile`,
          { args: ['run', role], from: { ...stage.env, METERVEIL_TIME_ZONE: 'Europe/London' } },
        ))
    }

    test('another count of partitions than the input has', async () => {
      await refuses(
        {},
        'topics have other counts of partitions than partitions (METERVEIL_PARTITIONS), 2: meter.accepted has 1; run npx meterveil topics apply to let them grow, or correct the setting',
      )
      await stage.admin.grow('meter.accepted', partitions)
    })

    test('a setting that names another count of partitions', () =>
      refuses(
        { METERVEIL_GROUP_PARTITIONS: '2' },
        'topics have other counts of partitions than groupPartitions (METERVEIL_GROUP_PARTITIONS), 2: forecast.state has 1, load.restricted has 1, load.public has 1, forecast.public has 1; run npx meterveil topics apply to let them grow, or correct the setting',
      ))

    test('a topic with the stamps of producers', async () => {
      await refuses(
        {},
        'message.timestamp.type of topic meter.frames is CreateTime, not LogAppendTime, but lateness counts from the append time: run npx meterveil topics apply, which sets it or says why it cannot',
      )
      await stage.admin.setConfigs('meter.frames', { 'message.timestamp.type': 'LogAppendTime' })
    })

    test('a changelog that is kept too short', async () => {
      await refuses(
        {},
        'retention.ms of topic meter.accepted is 604800000, and horizonDays 14 needs at least 1987200000: run npx meterveil topics apply, which sets it or says why it cannot',
      )
      await stage.admin.setConfigs('meter.accepted', {
        'message.timestamp.type': 'LogAppendTime',
        'retention.ms': '1987200000',
      })
    })
  })

  describe('schemas', () => {
    test('a registry that does not answer', () =>
      refuses(
        { METERVEIL_REGISTRY_URL: 'https://127.0.0.1:1/apis/ccompat/v7' },
        'the schema registry at https://127.0.0.1:1/apis/ccompat/v7 does not answer as it should (connect ECONNREFUSED 127.0.0.1:1): check registry.url, and that the registry runs',
      ))

    test('a schema that the registry does not hold', () =>
      refuses(
        {},
        'the registry under registry.url does not hold the schema of meter.frames-value: run npx meterveil topics apply, which registers it',
      ))

    test('a schema that cannot read what the registry holds', async () => {
      const other = { type: 'record', name: 'Other', fields: [{ name: 'other', type: 'string' }] }
      await stage.registry().register('forecast.public-value', JSON.stringify(other))
      for (const { name, codec } of Object.values(topics)) {
        if (name !== 'forecast.public') await stage.registry().register(`${name}-value`, codec.schema)
      }
      await refuses(
        {},
        'the schema of forecast.public-value cannot read what the registry holds under registry.url: run the version of meterveil that wrote it, or a newer one that can',
      )
      await fetch(`${own.address('registry')}/subjects/forecast.public-value`, { method: 'DELETE' })
      await stage.registry().register('forecast.public-value', topics.forecastPublic.codec.schema)
    })
  })

  describe('Redis', () => {
    test('a server that does not answer', () =>
      refuses(
        { METERVEIL_REDIS_NODES: '127.0.0.1:1' },
        'Redis at 127.0.0.1:1 does not answer: check redis.nodes and redis.tls, and that the server runs',
      ))

    test('a server that evicts', async () => {
      await stage.redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await refuses(
        {},
        'maxmemory-policy of Redis is allkeys-lru, so it may drop what was accepted and let duplicates in: set maxmemory-policy to noeviction',
      )
      await stage.redis.config('SET', 'maxmemory-policy', 'noeviction')
    })

    test('a wrong password', async () => {
      await stage.redis.config('SET', 'requirepass', 'right-secret')
      const file = join(folder, 'redis.password')
      writeFileSync(file, 'wrong-secret', { mode: 0o600 })
      await refuses(
        { METERVEIL_REDIS_PASSWORD_FILE: file },
        'Redis refuses the user, its password or a command: check redis.username and redis.passwordFile, and grant the commands that docs/operator.md lists under “Commands that Redis must grant”',
      )
      await stage.redis.config('SET', 'requirepass', '')
    })
  })

  describe('the register', () => {
    test('an empty topic', () =>
      refuses({}, 'the topic meter.register holds no entry: run npx meterveil register load FILE'))

    const registerFile = fleet.env.METERVEIL_REGISTER_FILE
    const load = async (file: string, ...args: readonly string[]) => {
      const finished = await ends(['register', 'load', file, '--json', ...args], stage.registerEnv, bin)
      stage.requireSecretFree(finished)
      return finished
    }
    const homes = fleet.fleet.entries.length
    const names = ['added', 'changed', 'ended', 'removed', 'unchanged', 'retold']
    const counts = (...many: readonly number[]) => Object.fromEntries(names.map((name, at) => [name, many[at]]))

    test('is loaded once: a dry run and a second time change nothing', async () => {
      for (const [args, kind, expected] of [
        [['--dry-run'], 'planned', counts(homes, 0, 0, 0, 0, 0)],
        [[], 'loaded', counts(homes, 0, 0, 0, 0, 0)],
        [[], 'loaded', counts(0, 0, 0, 0, homes, 0)],
      ] as const) {
        const { code, stdout, stderr } = await load(registerFile, ...args)
        assert.equal(code, 0, stderr)
        assert.deepEqual(JSON.parse(stdout), { kind, ...expected })
      }
    })

    test('a file that moves a place or lacks an entry is refused, and tells rows alone', async () => {
      const [first, second, ...others] = fleet.fleet.entries
      const write = (entries: readonly object[]) => {
        const file = join(folder, 'changed.jsonl')
        writeFileSync(file, fleet.lines(entries))
        return file
      }
      const swapped = [
        { ...first!, index: second!.index, partition: second!.partition },
        { ...second!, index: first!.index, partition: first!.partition },
        ...others,
      ]
      const moved = await load(write(swapped))
      assert.match(
        moved.stderr,
        /^Error: row 1 of the register has the partition and index of another measuring point in the topic/,
      )
      const lacking = await load(write(fleet.fleet.entries.slice(1)))
      assert.match(lacking.stderr, /^Error: The file lacks 1 of the entries that the topic holds\.\n/)
      const early = await load(write(fleet.fleet.entries.slice(1)), '--remove')
      assert.match(early.stderr, /^Error: 1 of the entries to remove ended less than 409 days ago, or not at all\.\n/)
      for (const { code } of [moved, lacking, early]) assert.equal(code, 1)
    })

    test('is counted, not shown', async () => {
      const finished = await ends(['register', 'show', '--json'], stage.registerEnv, bin)
      stage.requireSecretFree(finished)
      assert.equal(finished.code, 0, finished.stderr)
      const { kind, entries, partitions: places } = JSON.parse(finished.stdout)
      assert.deepEqual({ kind, entries, places }, { kind: 'register', entries: homes, places: partitions })
    })

    test('tells what it tells of homes, and is not changed where they would be told anew', async () => {
      const telling = {
        ...stage.registerEnv,
        METERVEIL_ATTRIBUTES_SINCE: new Date().toISOString().slice(0, 7),
        METERVEIL_ATTRIBUTES_K: '2',
        METERVEIL_ATTRIBUTES_MAX_SUPPRESSED: '0',
      }
      const shown = await ends(['register', 'attributes', '--json'], telling, bin)
      stage.requireSecretFree(shown)
      const { kind, told, zone, homes: there } = JSON.parse(shown.stdout)
      assert.deepEqual(
        { kind, told, zone, there },
        { kind: 'attributes', told: true, zone: fleet.env.METERVEIL_ZONE, there: homes },
      )
      const file = join(folder, 'retold.jsonl')
      const area = 'another-place-of-it'
      writeFileSync(
        file,
        fleet.lines(
          fleet.fleet.entries.map((entry) => ({ ...entry, area, tariff: 'one', heating: 'one', dwelling: 'one' })),
        ),
      )
      const planned = await ends(['register', 'load', file, '--dry-run'], telling, bin)
      assert.match(planned.stdout, new RegExp(`^${homes} homes would be told anew in months that have begun\\.$`, 'm'))
      const refused = await ends(['register', 'load', file], telling, bin)
      stage.requireSecretFree(refused)
      assert.equal(
        refused.stderr,
        `Error: ${homes} homes would be told anew in months that have begun.\nDate the change from now on (end the entry, and add one), or add --retell.\n`,
      )
      assert.equal(refused.code, 2)
      assert.equal((await load(registerFile, '--dry-run')).stdout.includes(`"unchanged":${homes}`), true)
    })

    test('a register that needs more partitions than there are', async () => {
      const far = fleet.fleet.entries.map((entry, at) => (at === 0 ? { ...entry, partition: 7 } : entry))
      writeFileSync(join(folder, 'far.jsonl'), fleet.lines(far))
      const { code, stderr } = await load(join(folder, 'far.jsonl'))
      assert.equal(
        stderr,
        'Error: The register places points on 8 partitions, but there are 2.\nSet METERVEIL_PARTITIONS to 8 or more.\n',
      )
      assert.equal(code, 2)
    })
  })

  describe('with everything right', () => {
    const intervals = async (): Promise<string[]> => {
      const { ca, cert, key } = own.credentials('admin')
      const log = kafkaLog({ brokers: own.address('kafka').split(','), ssl: { ca, cert, key } })
      try {
        return await intervalsOf(log, stage.registry())
      } finally {
        await log.close()
      }
    }

    const runOnce = async (given: Record<string, string>, ...args: readonly string[]) => {
      const running = start(['run', ...args, '--input', fleet.input], given, bin)
      await running.shows(`Input read: ${fleet.frames.length} frames from ${fleet.frames.length} lines, all processed.`)
      running.process.kill('SIGTERM')
      const finished = await running.ended
      stage.requireSecretFree(finished)
      assert.equal(finished.code, 130, finished.stderr)
      assert.match(finished.stdout, /Drained and stopped\./)
    }

    test('it runs and drains, with a certificate and then with a password, by group, by ordinal and in threads, and nothing is lost or twice', async () => {
      await runOnce(stage.env)
      assert.deepEqual(await intervals(), expectedIntervals(fleet))
      const { METERVEIL_KAFKA_CERT_FILE: _cert, METERVEIL_KAFKA_KEY_FILE: _key, ...rest } = stage.env
      const withPassword = { ...rest, ...passwordFiles(own, folder, 'pipelines') }
      await runOnce({
        ...withPassword,
        METERVEIL_ASSIGNMENT: 'ordinal',
        METERVEIL_ORDINAL: '0',
        METERVEIL_WORKERS: '1',
        METERVEIL_THREADS: '2',
      })
      await runOnce({ ...stage.env, METERVEIL_THREADS: '2' })
      assert.deepEqual(await intervals(), expectedIntervals(fleet))
    })

    test('publish and forecast run without register and keys, under a principal that may read neither frames nor register', async () => {
      const released: Record<string, string> = {
        ...stage.env,
        ...credentialFiles(own, folder, 'releases'),
        METERVEIL_TIME_ZONE: 'UTC',
      }
      const { METERVEIL_KEYRING_FOLDER: _keys, ...withoutKeys } = released
      const running = start(['run', 'publish', 'forecast'], withoutKeys, bin)
      await running.shows('Running publish, forecast.')
      running.process.kill('SIGTERM')
      const finished = await running.ended
      assert.equal(finished.code, 130, finished.stderr)
      await refuses(
        {},
        'Kafka does not grant this principal READ, DESCRIBE_CONFIGS on topic meter.register; READ, DESCRIBE_CONFIGS on topic load.partials; READ, WRITE, DESCRIBE_CONFIGS on topic load.state; WRITE on topic release.ledger; WRITE, DESCRIBE_CONFIGS on topic load.restricted; READ on group load; WRITE on transactional ids load-load.partials-*: grant it with npx meterveil topics apply --acls, or name another user in kafka.sasl.username or kafka.certFile',
        { args: ['run', 'load'], from: released },
      )
    })

    test('what runs is not disturbed by another start that is refused, nor by the registry going away', async () => {
      const running = start(['run', 'readings', '--metrics-port', '0', '--json', '--input', '-'], stage.env, bin)
      await running.shows('"started"')
      await refuses(
        { METERVEIL_REDIS_NODES: '127.0.0.1:1' },
        'Redis at 127.0.0.1:1 does not answer: check redis.nodes and redis.tls, and that the server runs',
      )
      await own.kill('registry')
      running.process.stdin.write(readFileSync(fleet.input, 'utf8'))
      running.process.stdin.end()
      await running.shows('"kind":"input"')
      const url = /"url":"([^"]+)"/.exec(running.output())?.[1] ?? ''
      const metrics = await (await fetch(`${url}/metrics`)).text()
      const transactions = (outcome: string) =>
        new RegExp(`^pipeline_transactions_total\\{.*outcome="${outcome}".*\\} [1-9]`, 'm')
      assert.match(metrics, transactions('committed'))
      assert.doesNotMatch(metrics, transactions('(?:fenced|unknown)'))
      running.process.kill('SIGTERM')
      const finished = await running.ended
      stage.requireSecretFree(finished)
      assert.equal(finished.code, 130, finished.stderr)
    })
  })
})
