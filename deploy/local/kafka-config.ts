import { join } from 'node:path'
import { superUsers } from './pki.ts'

/** One broker of a cluster of one or more. */
export interface KafkaNode {
  readonly id: number
  readonly data: string
  /** All brokers of the cluster with their ports. */
  readonly nodes: readonly KafkaPorts[]
  /** Folder of certificates, if clients must show who they are. */
  readonly pki?: string
}

/** Where a broker listens. */
export interface KafkaPorts {
  readonly id: number
  /** For clients: in the clear, or with a certificate where the cluster is secured. */
  readonly port: number
  readonly controllerPort: number
  /** For clients with a password; only where the cluster is secured. */
  readonly saslPort?: number
}

/** `server.properties` of a broker that is its own controller and listens on the loopback address only. */
export function kafkaConfig({ id, data, nodes, pki }: KafkaNode): string {
  const ports = nodes.find((node) => node.id === id) ?? { id, port: 0, controllerPort: 0 }
  const copies = Math.min(3, nodes.length)
  const inSync = Math.max(1, copies - 1)
  return lines({
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': nodes.map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    ...(pki ? secured(ports, pki) : open(ports)),
    'log.dirs': data,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    // A group of one machine is complete at once, and tests want to see a dead member leave soon.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'log.segment.bytes': 134_217_728,
  })
}

type Properties = Readonly<Record<string, string | number | boolean>>

const open = ({ port, controllerPort }: KafkaPorts): Properties => ({
  listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
})

/**
 * Everybody shows a certificate or a password, brokers and controllers too: an anonymous controller listener would need an
 * anonymous super user. Nobody but super users may do anything that no ACL allows.
 */
const secured = ({ port, controllerPort, saslPort }: KafkaPorts, pki: string): Properties => ({
  listeners: `SSL://127.0.0.1:${port},SASL_SSL://127.0.0.1:${saslPort},CONTROLLER://127.0.0.1:${controllerPort}`,
  'advertised.listeners': `SSL://127.0.0.1:${port},SASL_SSL://127.0.0.1:${saslPort}`,
  'listener.security.protocol.map': 'SSL:SSL,SASL_SSL:SASL_SSL,CONTROLLER:SSL',
  'inter.broker.listener.name': 'SSL',
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': superUsers.map((name) => `User:${name}`).join(';'),
  'allow.everyone.if.no.acl.found': false,
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': join(pki, 'broker.pem'),
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': join(pki, 'ca.crt'),
  'ssl.client.auth': 'required',
  'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',
  'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
  'listener.name.sasl_ssl.ssl.client.auth': 'none',
  'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config':
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
})

/** Warnings, and the one line that says that the broker is up. */
export const log4jConfig = lines({
  'appender.console.type': 'Console',
  'appender.console.name': 'console',
  'appender.console.layout.type': 'PatternLayout',
  'appender.console.layout.pattern': '%d{ISO8601} %p %c: %m%n',
  'rootLogger.level': 'WARN',
  'rootLogger.appenderRef.console.ref': 'console',
  'logger.up.name': 'kafka.server.KafkaRaftServer',
  'logger.up.level': 'INFO',
})

function lines(values: Properties): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
