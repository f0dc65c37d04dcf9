// A cluster that the start-up tests find wrong, put right step by step, and run on.
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import type { Right, Role } from '../../../schemas/access.ts'
import type { OwnServices } from '../../helpers/services.ts'
import { bin, type Finished } from './command.ts'
import type { writeFleet } from './fleet-files.ts'
import { administrator, credentialFiles, ends, tlsDoor } from './secured-deployment.ts'

const pipelineRoles = ['readings', 'load', 'publish', 'forecast'] as const satisfies readonly Role[]

/** Principals that lack one right each. */
export const lacking: Readonly<Record<string, readonly [Role, (right: Right) => boolean, string]>> = {
  'no-source': [
    'readings',
    ({ name }) => name === 'meter.frames',
    'READ, WRITE, DESCRIBE_CONFIGS on topic meter.frames',
  ],
  'no-sink': ['publish', ({ name }) => name === 'load.public', 'READ, WRITE, DESCRIBE_CONFIGS on topic load.public'],
  'no-group': ['forecast', ({ resource }) => resource === 'group', 'READ on group forecast'],
  'no-id': [
    'load',
    ({ resource }) => resource === 'transactional-id',
    'WRITE on transactional ids load-load.partials-*',
  ],
}
export const principals = ['pipelines', 'releases', 'register', ...Object.keys(lacking)]

/** The services behind TLS, with every principal's rights, and what runs the command against them. */
export async function startUpStage(own: OwnServices, folder: string, fleet: ReturnType<typeof writeFleet>) {
  const closing: (() => unknown)[] = []
  const admin = await administrator(own)
  closing.push(() => admin.client.disconnect())
  await admin.grant('pipelines', pipelineRoles)
  await admin.grant('releases', ['publish', 'forecast'])
  await admin.grant('register', ['register'])
  for (const [principal, [, without]] of Object.entries(lacking)) await admin.grant(principal, pipelineRoles, without)
  const redis = new Redis(own.address('redis'))
  closing.push(() => redis.disconnect())
  const url = new URL(own.address('registry'))
  const registryDoor = await tlsDoor(own, url.host)
  const redisDoor = await tlsDoor(own, new URL(own.address('redis')).host)
  closing.push(registryDoor.close, redisDoor.close)
  const { METERVEIL_DATA_FOLDER: _data, METERVEIL_REGISTER_FILE: _file, ...fleetEnv } = fleet.env
  const kafka = credentialFiles(own, folder, 'pipelines')
  const ca = kafka['METERVEIL_KAFKA_CA_FILE'] as string
  const env: Record<string, string> = {
    ...fleetEnv,
    ...kafka,
    METERVEIL_REGISTRY_URL: `https://${registryDoor.address}${url.pathname}`,
    METERVEIL_REGISTRY_CA_FILE: ca,
    METERVEIL_REDIS_NODES: redisDoor.address,
    METERVEIL_REDIS_TLS: 'true',
    METERVEIL_REDIS_CA_FILE: ca,
  }
  const secrets = (): string[] => [
    ...fleet.fleet.entries.flatMap(({ point, connection, systemTitle, keyRef }) => [
      point,
      connection,
      systemTitle,
      keyRef,
    ]),
    ...fleet.meters.flatMap(({ encryption, authentication }) => [encryption, authentication]),
    '5a5a5a',
    'wrong-secret',
    ...principals.flatMap((principal) => {
      const { key, password } = own.credentials(principal)
      return [password, key.split('\n')[1] as string]
    }),
  ]
  const requireSecretFree = ({ stdout, stderr }: Finished) => {
    for (const secret of secrets()) assert.ok(!`${stdout}${stderr}`.includes(secret), 'a secret or a meter was printed')
  }
  const refuses = async (
    change: Record<string, string | undefined>,
    sentence: string,
    { args = ['run'], from = env }: { args?: readonly string[]; from?: Record<string, string> } = {},
  ) => {
    const given = Object.entries({ ...from, ...change }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    )
    const finished = await ends(args, Object.fromEntries(given), bin)
    requireSecretFree(finished)
    assert.equal(finished.stderr, `Error: ${sentence}\n`)
    assert.equal(finished.stdout, '')
    assert.equal(finished.code, 1)
  }

  return {
    admin,
    redis,
    env,
    registry: () => confluentSchemaRegistry({ url: own.address('registry') }),
    registerEnv: { ...env, ...credentialFiles(own, folder, 'register') },
    refuses,
    requireSecretFree,
    close: async () => {
      for (const close of closing.reverse()) await close()
    },
  }
}
