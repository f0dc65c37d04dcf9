/**
 * Who may import whom (docs/decisions/0005). The first row whose `files` fits the importing file decides; `$1` in `may`
 * stands for what the row's group matched.
 */
export const layers: readonly { readonly files: RegExp; readonly may: readonly string[]; readonly says: string }[] = [
  {
    files: /^schemas\//,
    may: ['schemas/'],
    says: 'schemas import nothing else of ours',
  },
  {
    files: /^operators\/contract\//,
    may: ['schemas/', 'operators/contract/'],
    says: 'the operator contract knows schemas only',
  },
  {
    files: /^operators\/index\.ts$/,
    may: ['operators/'],
    says: 'the operators’ barrel imports operators only',
  },
  {
    files: /^operators\/([^/.]+)(?:\/|\.ts$)/,
    may: ['schemas/', 'operators/contract/', 'operators/window/', 'operators/$1/', 'operators/$1.ts'],
    says: 'an operator imports schemas, the contract, window helpers and its own folder, never another operator',
  },
  {
    files: /^connectors\/contract\.ts$/,
    may: ['schemas/', 'operators/contract/'],
    says: 'the ports know schemas and the operator contract only',
  },
  {
    files: /^connectors\/register\//,
    may: ['schemas/', 'operators/contract/', 'operators/window/', 'connectors/contract.ts', 'connectors/register/'],
    says: 'the register also reckons in local days, since what it says takes effect by them',
  },
  {
    files: /^connectors\/([^/]+)\//,
    may: ['schemas/', 'operators/contract/', 'connectors/contract.ts', 'connectors/$1/'],
    says: 'a connector imports schemas, the contracts and its own folder',
  },
  {
    files: /^pipelines\/runtime\//,
    may: ['schemas/', 'operators/contract/', 'connectors/contract.ts', 'pipelines/runtime/'],
    says: 'the runtime knows contracts only: no operator, no connector',
  },
  {
    files: /^deploy\//,
    may: ['deploy/'],
    says: 'bringing services up needs nothing else of ours, so that nothing of ours can break it',
  },
  {
    files: /^pipelines\/cli\/services/,
    may: ['schemas/', 'operators/', 'connectors/', 'pipelines/', 'deploy/'],
    says: 'only the services command of the command line imports deploy',
  },
  {
    files: /^pipelines\/cli\/(?:demo|example\.ts$)/,
    may: ['schemas/', 'operators/', 'connectors/', 'pipelines/', 'bench/'],
    says: 'the demo and the example may also use the fleet of bench',
  },
  {
    files: /^pipelines\//,
    may: ['schemas/', 'operators/', 'connectors/', 'pipelines/'],
    says: 'nothing but test, the demo and the example import bench, and nothing imports test',
  },
  {
    files: /^bench\//,
    may: ['schemas/', 'operators/', 'connectors/', 'pipelines/', 'bench/', 'deploy/', 'test/', 'diffprivlib-ts/'],
    says: 'bench imports code of this repository only',
  },
  {
    files: /^test\//,
    may: ['schemas/', 'operators/', 'connectors/', 'pipelines/', 'bench/', 'deploy/', 'test/', 'diffprivlib-ts/'],
    says: 'test imports code of this repository only',
  },
  {
    files: /^diffprivlib-ts\/src\//,
    may: ['diffprivlib-ts/src/'],
    says: 'diffprivlib-ts depends on nothing else here',
  },
  {
    files: /^diffprivlib-ts\//,
    may: ['diffprivlib-ts/'],
    says: 'diffprivlib-ts depends on nothing else here',
  },
]

/** Where each package may be imported, besides tests. A package without a row may be imported nowhere. */
export const packages: Readonly<Record<string, readonly RegExp[]>> = {
  '@kafkajs/confluent-schema-registry': [/^connectors\/registry\//],
  avsc: [/^schemas\/avro\.ts$/, /^connectors\//],
  commander: [/^pipelines\/main\.ts$/, /^pipelines\/cli\//],
  'diffprivlib-ts': [/^operators\/(?:privacy|forecast)\//, /^pipelines\/cli\/example\.ts$/, /^bench\//],
  fastify: [/^connectors\/http\//],
  'hdr-histogram-js': [/^bench\//, /^connectors\/prometheus\//],
  ioredis: [/^connectors\/redis\//],
  kafkajs: [/^connectors\/kafka\//],
  'prom-client': [/^connectors\/prometheus\//],
  'temporal-polyfill': [/^operators\//, /^bench\//, /^pipelines\/cli\//],
  zod: [/^operators\/privacy\/release\/rules\//, /^pipelines\/runtime\/settings(-[a-z]+)?\.ts$/, /^pipelines\/cli\//],
}

/** Packages that only tests may import; `meterveil` is this one, as its users see it. */
export const testPackages: readonly string[] = ['fast-check', 'meterveil', 'playwright-core']

/** Folders free of I/O, and the only Node modules that they may use. */
export const pure: readonly { readonly files: RegExp; readonly may: readonly string[] }[] = [
  { files: /^schemas\/avro\.ts$/, may: ['node:fs', 'node:buffer', 'node:util'] },
  { files: /^schemas\//, may: ['node:buffer', 'node:util'] },
  { files: /^operators\//, may: ['node:buffer', 'node:crypto', 'node:util', 'node:zlib'] },
  { files: /^diffprivlib-ts\/src\/random\//, may: ['node:buffer', 'node:crypto', 'node:v8'] },
  { files: /^diffprivlib-ts\/src\/ledger\/(?:file|lock)\.ts$/, may: ['node:fs'] },
  { files: /^diffprivlib-ts\/src\//, may: [] },
]

const tests = /^(?:test|diffprivlib-ts\/test)\//

/**
 * Words that only some files may use. For a use to count, the words `after` must stand before it, `before` must follow
 * it, and `unless` must not follow it.
 */
export const words: readonly {
  readonly rule: string
  readonly words: readonly string[]
  readonly after?: readonly string[]
  readonly before?: readonly string[]
  readonly unless?: string
  readonly only: readonly RegExp[]
  readonly says: string
}[] = [
  {
    rule: 'one door for randomness',
    words: [
      'randomBytes',
      'randomFillSync',
      'randomFill',
      'randomInt',
      'randomUUID',
      'getRandomValues',
      'webcrypto',
      'pseudoRandomBytes',
    ],
    only: [/^diffprivlib-ts\/src\/random\//, /^connectors\//, /^pipelines\/runtime\//, /^deploy\//, tests],
    says: 'randomness comes from diffprivlib-ts/src/random, a connector or the runtime',
  },
  {
    rule: 'no Math.random',
    words: ['random'],
    after: ['Math', '.'],
    only: [],
    says: 'Math.random is predictable; nothing here may use it, not even a test',
  },
  {
    rule: 'no Math.random',
    words: ['Math'],
    unless: '.',
    only: [],
    says: 'Math is read by name (Math.max), so that Math.random cannot hide behind an index or another name',
  },
  {
    rule: 'one clock',
    words: ['now'],
    after: ['Date', '.'],
    only: [/^operators\/contract\/clock\.ts$/, /^bench\//, tests],
    says: 'only operators/contract/clock.ts asks the machine for the time; take a Clock',
  },
  {
    rule: 'one clock',
    words: ['Date'],
    after: ['new'],
    before: ['(', ')'],
    only: [/^operators\/contract\/clock\.ts$/, /^bench\//, tests],
    says: 'new Date() asks the machine for the time; take a Clock',
  },
  {
    rule: 'one clock',
    words: ['Now'],
    after: ['Temporal', '.'],
    only: [/^operators\/contract\/clock\.ts$/, /^bench\//, tests],
    says: 'Temporal.Now asks the machine for the time; take a Clock',
  },
  {
    rule: 'one clock',
    words: ['setTimeout', 'setInterval', 'setImmediate', 'performance'],
    only: [/^operators\/contract\/clock\.ts$/, /^connectors\//, /^pipelines\//, /^bench\//, /^deploy\//, tests],
    says: 'operators, schemas and diffprivlib-ts neither wait nor measure time',
  },
  {
    rule: 'no console',
    words: ['console'],
    before: ['.'],
    only: [/^pipelines\/cli\//, /^pipelines\/main\.ts$/],
    says: 'only the command line prints',
  },
  {
    rule: 'labels are not cast',
    words: ['Stream', 'Lowering', 'AccumulatingLowering', 'Topic', 'Pipeline'],
    after: ['as'],
    only: [/^pipelines\/runtime\/stream\.ts$/, /^operators\/contract\/operator\.ts$/, tests],
    says: 'a cast would lift a label past the compiler',
  },
  {
    rule: 'labels are not cast',
    words: ['never', 'AnyTopic'],
    after: ['as'],
    only: [/^pipelines\/(?:runtime|testing|simulation|cli)\//, /^schemas\/avro\.ts$/, /^bench\//, tests],
    says: 'only the runtime and tools handle topics without their type: a cast would lift a label past the compiler',
  },
  {
    rule: 'bounded values are not cast',
    words: ['BoundedWh'],
    after: ['as'],
    only: [
      /^schemas\/bounded\.ts$/,
      /^schemas\/load-partial\.ts$/,
      /^operators\/privacy\/bound-contributions\.ts$/,
      tests,
    ],
    says: 'only the clip makes a BoundedWh',
  },
]

/** Names that only some files may import, from wherever they are exported. */
export const names: readonly {
  readonly rule: string
  readonly names: readonly string[]
  readonly from: RegExp
  readonly only: readonly RegExp[]
  readonly says: string
}[] = [
  {
    rule: 'only privacy operators lower a label',
    names: ['lowering', 'accumulatingLowering', '*'],
    from: /^operators\/contract\/operator\.ts$/,
    only: [/^operators\/privacy\//, tests],
    says: 'a step that lowers a label is made in operators/privacy and nowhere else',
  },
  {
    rule: 'topics are born in one file',
    names: ['topic', '*'],
    from: /^schemas\/codec\.ts$/,
    only: [/^schemas\/topics\.ts$/, tests],
    says: 'a topic and its label are made in schemas/topics.ts and nowhere else',
  },
  {
    rule: 'one door for randomness',
    names: ['*', 'default'],
    from: /^node:crypto$/,
    only: [/^diffprivlib-ts\/src\/random\//, tests],
    says: 'node:crypto is imported by name, so that its randomness cannot hide',
  },
]
