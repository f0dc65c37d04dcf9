/*
 * Three requests that kafkajs writes in older versions or not at all, in the plain encoding: Metadata 8 and DescribeGroups 3,
 * the first that tell what the asking principal may do, and InitProducerId 0.
 */

/** A request of one version, and what reads its answer. */
export interface Question<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  readonly body: Buffer
  readonly read: (answer: Buffer) => T
}

/** What a broker says of a topic, and its bits of what may be done: bit n for the operation of number n in an ACL. */
export interface TopicAnswer {
  readonly name: string
  readonly errorCode: number
  readonly partitions: number
  readonly operations: number
}

export function askTopics(names: readonly string[]): Question<readonly TopicAnswer[]> {
  const [noCreation, noClusterRights, topicRights] = [0, 0, 1] as const
  return {
    apiKey: 3,
    apiVersion: 8,
    apiName: 'Metadata',
    body: Buffer.concat([list(names), Buffer.of(noCreation, noClusterRights, topicRights)]),
    read: (answer) => {
      const { int16, int32, skip, text, each } = fields(answer)
      int32()
      each(() => {
        skip(4)
        text()
        skip(4)
        text()
      })
      text()
      skip(4)
      return each(() => {
        const errorCode = int16()
        const name = text()
        skip(1)
        const partitions = each(() => {
          skip(2 + 4 + 4 + 4)
          for (const _ of ['replicas', 'in sync', 'offline']) each(() => skip(4))
        }).length
        return { name, errorCode, partitions, operations: int32() }
      })
    },
  }
}

/** Asked of the group's coordinator. */
export function askGroup(group: string): Question<{ readonly errorCode: number; readonly operations: number }> {
  const groupRights = 1
  return {
    apiKey: 15,
    apiVersion: 3,
    apiName: 'DescribeGroups',
    body: Buffer.concat([list([group]), Buffer.of(groupRights)]),
    read: (answer) => {
      const { int16, int32, skip, text, each } = fields(answer)
      int32()
      const bytes = () => skip(Math.max(0, int32()))
      const [only] = each(() => {
        const errorCode = int16()
        for (const _ of ['name', 'state', 'protocol type', 'protocol']) text()
        each(() => {
          for (const _ of ['member', 'client', 'host']) text()
          bytes()
          bytes()
        })
        return { errorCode, operations: int32() }
      })
      return only ?? { errorCode: -1, operations: 0 }
    },
  }
}

/**
 * Asks for an epoch of a transactional id with a time-out that no broker grants. A broker looks at the principal's right
 * first and at the time-out next, before it looks the id up: an owner at work is not fenced, and nothing is written.
 */
export function askTransactionalId(id: string): Question<number> {
  const noTimeout = Buffer.alloc(4)
  return {
    apiKey: 22,
    apiVersion: 0,
    apiName: 'InitProducerId',
    body: Buffer.concat([string(id), noTimeout]),
    read: (answer) => {
      const { int16, int32 } = fields(answer)
      int32()
      return int16()
    },
  }
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function list(texts: readonly string[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(texts.length)
  return Buffer.concat([length, ...texts.map(string)])
}

/** Reads the fields of an answer in their order. */
function fields(answer: Buffer) {
  let at = 0
  const skip = (bytes: number) => {
    at += bytes
  }
  const int16 = () => {
    skip(2)
    return answer.readInt16BE(at - 2)
  }
  const int32 = () => {
    skip(4)
    return answer.readInt32BE(at - 4)
  }
  /** A null one is read as an empty one. */
  const text = () => {
    const length = Math.max(0, int16())
    skip(length)
    return answer.toString('utf8', at - length, at)
  }
  const each = <T>(read: () => T): T[] => Array.from({ length: Math.max(0, int32()) }, read)
  return { skip, int16, int32, text, each }
}
