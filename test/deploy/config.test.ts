import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { findJava, inspectJava } from '../../deploy/local/java.ts'
import { kafkaConfig } from '../../deploy/local/kafka-config.ts'
import { installedKafka } from '../../deploy/local/kafka-installed.ts'
import { versions } from '../../deploy/local/versions.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-config-'))
after(() => rmSync(folder, { recursive: true }))

function program(path: string, script: string): string {
  const file = join(folder, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('server.properties', () => {
  const node = (id: number) => ({ id, port: 9000 + id, controllerPort: 9100 + id })
  const of = (brokers: number) => {
    const nodes = Array.from({ length: brokers }, (_, at) => node(at + 1))
    return new Map(
      kafkaConfig({ id: 1, data: '/data', nodes })
        .split('\n')
        .map((line) => line.split(/=(.*)/s) as [string, string]),
    )
  }

  test('of one broker keeps one copy', () => {
    const config = of(1)
    assert.equal(config.get('transaction.state.log.replication.factor'), '1')
    assert.equal(config.get('min.insync.replicas'), '1')
    assert.equal(config.get('listeners'), 'PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101')
  })

  test('of three brokers keeps three, two of them in step', () => {
    const config = of(3)
    assert.equal(config.get('controller.quorum.voters'), '1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103')
    for (const topic of ['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic']) {
      assert.equal(config.get(`${topic}.replication.factor`), '3')
    }
    assert.equal(config.get('min.insync.replicas'), '2')
    assert.equal(config.get('transaction.state.log.min.isr'), '2')
  })
})

describe('versions on this machine', () => {
  for (const [says, major] of [
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "25" 2025-09-16', 25],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "22-ea" 2024-03-19', 22],
  ] as const) {
    test(`Java that says ${says} is ${major}`, async () => {
      assert.equal((await inspectJava(program(`java-${major}`, `echo '${says}' >&2`)))?.major, major)
    })
  }

  test('a Java that fails or says nothing is none', async () => {
    assert.equal(await inspectJava(program('java-bad', 'exit 1')), undefined)
    assert.equal(await inspectJava(program('java-mute', 'exit 0')), undefined)
  })

  test('JAVA_HOME comes before the PATH, unless it is too old', async () => {
    program('old/bin/java', `echo 'openjdk version "11.0.2"' >&2`)
    program('new/bin/java', `echo 'openjdk version "99.0.2"' >&2`)
    program('path/java', `echo 'openjdk version "98.0.2"' >&2`)
    const find = async (home: string) =>
      (await findJava(97, { JAVA_HOME: join(folder, home), PATH: join(folder, 'path') }))?.major
    assert.deepEqual([await find('new'), await find('old')], [99, 98])
  })

  test('a Kafka of this machine is used from version 4 on', () => {
    for (const version of ['3.9.1', '4.1.2']) {
      program(`kafka-${version}/bin/kafka-server-start.sh`, '')
      program(`kafka-${version}/libs/kafka_2.13-${version}.jar`, '')
    }
    const find = (version: string) => installedKafka({ PATH: join(folder, `kafka-${version}/bin`) })?.version
    assert.deepEqual([find('3.9.1'), find('4.1.2')], [undefined, '4.1.2'])
  })
})

test('Compose brings up the versions that are fetched', () => {
  const images = [...readFileSync('deploy/compose.yaml', 'utf8').matchAll(/image: \S+?:(\S+)/g)].map(([, tag]) => tag)
  assert.deepEqual(images, [versions.kafka, versions.registry, versions.valkey.replace(/\.post\d+$/, '')])
})
