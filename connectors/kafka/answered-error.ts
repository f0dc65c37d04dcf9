/** An error that a broker gave to some topics of a request. */
export interface AnsweredError {
  /** The broker's error code. */
  readonly code: number
  /** Topics with this code, sorted. */
  readonly topics: readonly string[]
}

/** What kafkajs reads from an answer to AddPartitionsToTxn, Produce, TxnOffsetCommit or Metadata, as far as it is errors. */
export interface TopicAnswer {
  readonly errors?: readonly { readonly topic: string; readonly partitionErrors: readonly PartitionAnswer[] }[]
  readonly topics?: readonly {
    readonly topic?: string
    readonly topicName?: string
    readonly partitions: readonly PartitionAnswer[]
  }[]
  readonly topicMetadata?: readonly { readonly topic: string; readonly topicErrorCode: number }[]
}

interface PartitionAnswer {
  readonly partition: number
  readonly errorCode: number
}

/** Nothing was done for this partition, because another one in the request is refused: no reason of its own. */
const notAttempted = 55

/**
 * The error that an answer for several topics comes to, with the names that kafkajs leaves out: the first that is a reason
 * of its own. `undefined` if every topic is well.
 */
export function answeredError(answer: TopicAnswer): AnsweredError | undefined {
  const refused = [...codesOf(answer)].filter(({ code }) => code !== 0)
  const code = (refused.find((one) => one.code !== notAttempted) ?? refused[0])?.code
  if (code === undefined) return undefined
  const topics = new Set(refused.filter((one) => one.code === code).map(({ topic }) => topic))
  return { code, topics: [...topics].sort() }
}

function* codesOf({ errors = [], topics = [], topicMetadata = [] }: TopicAnswer) {
  for (const { topic, partitionErrors } of errors) {
    for (const { errorCode } of partitionErrors) yield { topic, code: errorCode }
  }
  for (const { topic, topicName, partitions } of topics) {
    for (const { errorCode } of partitions) yield { topic: topic ?? topicName ?? '', code: errorCode }
  }
  for (const { topic, topicErrorCode } of topicMetadata) yield { topic, code: topicErrorCode }
}
