/** What a group has committed for one partition (OffsetFetch response, version 7, of the Kafka protocol). */
export interface FetchedOffset {
  readonly errorCode: number
  /** Next offset to read; -1 if the group has none. */
  readonly next: bigint
}

/**
 * OffsetFetch, version 7: the first that can ask for a stable offset. While a transaction that holds an offset of the
 * partition is undecided, a coordinator answers such a request with error 88 instead of the offset before. kafkajs writes
 * up to version 4, in the older encoding: its head lacks the empty list of tags that this version wants behind it.
 */
export const offsetFetchVersion = 7

/** The end of the head and the body of a request for the stable offset of one partition. */
export function encodeOffsetFetch(group: string, topic: string, partition: number): Buffer {
  const index = Buffer.allocUnsafe(4)
  index.writeInt32BE(partition)
  return Buffer.concat([
    noTags,
    compactString(group),
    oneElement,
    compactString(topic),
    oneElement,
    index,
    noTags,
    requireStable,
    noTags,
  ])
}

const noTags = Buffer.of(0)
const requireStable = Buffer.of(1)
/** Lengths are written as one more than they are; 0 is null. */
const oneElement = Buffer.of(2)

function compactString(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length: number[] = []
  let rest = bytes.length + 1
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.of(...length, rest), bytes])
}

/** Reads the answer to a request for one partition. An error of the whole answer stands for that of its partition. */
export function decodeOffsetFetch(answer: Buffer): FetchedOffset {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = answer[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const skipCompact = () => {
    const length = varint() - 1
    at += Math.max(0, length)
  }
  const skipTags = () => {
    for (let left = varint(); left > 0; left--) {
      varint()
      const length = varint()
      at += length
    }
  }
  const int16 = (): number => {
    at += 2
    return answer.readInt16BE(at - 2)
  }
  let next = -1n
  let errorCode = 0
  skipTags()
  const throttleBytes = 4
  at += throttleBytes
  for (let topics = varint() - 1; topics > 0; topics--) {
    skipCompact()
    for (let partitions = varint() - 1; partitions > 0; partitions--) {
      const partitionBytes = 4
      const leaderEpochBytes = 4
      at += partitionBytes
      next = answer.readBigInt64BE(at)
      at += 8 + leaderEpochBytes
      skipCompact()
      errorCode = int16()
      skipTags()
    }
    skipTags()
  }
  return { errorCode: int16() || errorCode, next }
}
