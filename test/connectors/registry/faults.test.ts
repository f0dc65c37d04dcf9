import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { RegistryError } from '../../../connectors/contract.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { rejectsUnreachable } from './rejects.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void
type Registry = ReturnType<typeof confluentSchemaRegistry>

const int = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'

/** Something that listens and misbehaves: what a real registry cannot be made to do. */
async function against(
  answer: Answer,
  work: (registry: Registry, seen: readonly string[]) => Promise<void>,
  { user = '', timeoutMs = 20_000 }: { user?: string; timeoutMs?: number } = {},
): Promise<void> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    await work(confluentSchemaRegistry({ url: `http://${user}127.0.0.1:${port}/base/`, timeoutMs }), seen)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const json =
  (status: number, body: unknown): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

/** Answers by method and path; anything else is unknown. */
const routes =
  (table: Readonly<Record<string, Answer>>): Answer =>
  (request, response) =>
    (table[`${request.method} ${request.url}`] ?? json(404, { error_code: 40401, message: 'not found' }))(
      request,
      response,
    )

const calls: readonly (readonly [string, (registry: Registry) => Promise<unknown>])[] = [
  ['register', (registry) => registry.register('s', int)],
  ['schema', (registry) => registry.schema(7)],
  ['latest', (registry) => registry.latest('s')],
  ['versions', (registry) => registry.versions('s')],
  ['compatible', (registry) => registry.compatible('s', int)],
]

/** What it does, how, what the caller reads, and the deadline where that is what ends the call. */
const faults: readonly (readonly [string, Answer, RegExp, number?])[] = [
  ['never answers', () => {}, /gave no answer within 400 ms|does not answer as it should/, 400],
  ['answers a byte at a time', (_, response) => drip(response), /gave no answer within 400 ms/, 400],
  ['fails inside', json(500, { message: 'broken' }), /does not answer as it should/],
  ['cuts the connection', (request) => request.socket.destroy(), /does not answer as it should/],
  ['wants a user', json(401, { message: 'who?' }), /check registry.username and registry.passwordFile/],
  ['forbids', json(403, { message: 'no' }), /check registry.username and registry.passwordFile/],
]

function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 50)
  response.on('close', () => clearInterval(timer))
}

for (const [what, answer, says, timeoutMs = 20_000] of faults) {
  describe(`a registry that ${what}`, () => {
    for (const [name, call] of calls) {
      test(`ends ${name} as unreachable`, () =>
        against(answer, (registry) => rejectsUnreachable(call(registry), says), { timeoutMs }))
    }
  })
}

test('a page that is no registry is told apart from one', async () => {
  await against(json(200, { hello: 'world' }), async (registry) => {
    await rejectsUnreachable(registry.latest('s'), /no schema registry: check the base path/)
    await rejectsUnreachable(registry.compatible('s', int), /no schema registry/)
  })
})

test('an address where nobody listens is said with the address and without user and password', async () => {
  const registry = confluentSchemaRegistry({ url: 'http://mallory:s3cret@127.0.0.1:1/base', timeoutMs: 2_000 })
  await assert.rejects(registry.latest('s'), (error) => {
    assert.ok(error instanceof RegistryError)
    assert.equal(error.code, 'unreachable')
    assert.match(error.message, /http:\/\/127\.0\.0\.1:1\/base/)
    assert.doesNotMatch(`${error.message}${error.stack}${JSON.stringify(error)}`, /mallory|s3cret/)
    return true
  })
})

for (const url of ['', 'localhost:8081', 'file:///etc', 'kafka://127.0.0.1']) {
  test(`${url || 'an empty text'} is no address of a registry`, () => {
    assert.throws(() => confluentSchemaRegistry({ url }), /registry\.url is no http or https address/)
  })
}

test('user and password of the address go out as basic authentication', async () => {
  let authorization: string | undefined
  const answer: Answer = (request, response) => {
    authorization = request.headers.authorization
    json(404, {})(request, response)
  }
  await against(answer, async (registry) => void (await registry.latest('s')), { user: 'me:p%40ss@' })
  assert.equal(authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`)
})

describe('the level of a subject', () => {
  const registered = json(200, { id: 5 })
  const cases: readonly (readonly [string, Answer, boolean])[] = [
    ['none of its own', json(404, { error_code: 40408, message: 'no level' }), true],
    ['NONE', json(200, { compatibilityLevel: 'NONE' }), true],
    ['BACKWARD', json(200, { compatibilityLevel: 'BACKWARD' }), false],
    ['FULL_TRANSITIVE', json(200, { compatibilityLevel: 'FULL_TRANSITIVE' }), false],
  ]
  for (const [what, answer, put] of cases) {
    test(`${what} is ${put ? 'made BACKWARD before the first version is there' : 'left as it is'}`, async () => {
      let level = answer
      const table = {
        'GET /base/config/s': ((request, response) => level(request, response)) as Answer,
        'PUT /base/config/s': ((request, response) => {
          level = json(200, { compatibilityLevel: 'BACKWARD' })
          json(200, { compatibility: 'BACKWARD' })(request, response)
        }) as Answer,
        'POST /base/subjects/s/versions': registered,
      }
      await against(routes(table), async (registry, seen) => {
        assert.equal(await registry.register('s', int), 5)
        assert.equal(seen.includes('PUT /base/config/s'), put)
        assert.equal(seen.at(-1), 'POST /base/subjects/s/versions')
        const asked = seen.length
        assert.equal(await registry.register('s', ` ${int}`), 5)
        assert.equal(seen.length, asked)
      })
    })
  }

  test('FORWARD is refused: it protects readers that we are not', async () => {
    await against(
      routes({ 'GET /base/config/s': json(200, { compatibilityLevel: 'FORWARD' }) }),
      async (registry, seen) => {
        await assert.rejects(registry.register('s', int), /level FORWARD.*set it to BACKWARD/)
        assert.deepEqual(seen, ['GET /base/config/s'])
      },
    )
  })
})

test('a deleted version leaves a gap and no error', async () => {
  const version = (number: number): Answer => json(200, { id: number + 10, version: number, schema: int })
  const table = {
    'GET /base/subjects/s/versions/latest': version(3),
    'GET /base/subjects/s/versions/1': version(1),
  }
  await against(routes(table), async (registry) => {
    assert.deepEqual(
      (await registry.versions('s')).map(({ id }) => id),
      [11, 13],
    )
  })
})

test('a schema of another language has no Avro text', async () => {
  const table = { 'GET /base/schemas/ids/7': json(200, { schemaType: 'PROTOBUF', schema: 'syntax = "proto3";' }) }
  await against(routes(table), async (registry) => assert.equal(await registry.schema(7), undefined))
})
