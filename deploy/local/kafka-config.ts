/** One broker of a cluster of one or more. */
export interface KafkaNode {
  readonly id: number
  readonly data: string
  /** All brokers of the cluster with their ports. */
  readonly nodes: readonly { readonly id: number; readonly port: number; readonly controllerPort: number }[]
}

/** `server.properties` of a broker that is its own controller and listens on the loopback address only. */
export function kafkaConfig({ id, data, nodes }: KafkaNode): string {
  const { port, controllerPort } = nodes.find((node) => node.id === id) ?? { port: 0, controllerPort: 0 }
  const copies = Math.min(3, nodes.length)
  const inSync = Math.max(1, copies - 1)
  return lines({
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': nodes.map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
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

function lines(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
