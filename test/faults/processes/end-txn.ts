import { type Link, type TcpProxy, tcpProxy } from './tcp-proxy.ts'

/*
 * The requests of Kafka that end transactions, on the wire: version 1, as kafkajs sends it. Layout from the message
 * schemas that Apache Kafka publishes: length, API key, version, correlation id, client id, then transactional id,
 * producer id, epoch, and whether to commit.
 */
const endTxn = 26

/** What befalls a commit on its way. Its sender is cut off each time, and hears nothing. */
export const fates = ['delayed', 'doubled', 'unanswered'] as const
export type CommitFate = (typeof fates)[number]

export interface EndTxnFaults {
  readonly proxy: TcpProxy
  /** How often each befell a commit. */
  readonly counts: ReadonlyMap<CommitFate, number>
  /** What the broker said to commits that came in the middle of the next transaction of their id, by error code. */
  readonly lateAnswers: ReadonlyMap<number, number>
  /** From now on commits pass. */
  readonly stop: () => void
}

/**
 * A proxy before a broker: of every `each` commits one is delayed until the next transaction of its id ends, right before
 * that, arrives twice, once in time and once then, or arrives and is not answered.
 */
export async function endTxnFaults(to: { readonly port: number }, each: number): Promise<EndTxnFaults> {
  const counts = new Map<CommitFate, number>(fates.map((fate) => [fate, 0]))
  const lateAnswers = new Map<number, number>()
  const late = new Map<string, { readonly link: Link; readonly message: Buffer }>()
  /** Links on which a late commit is under way, with what has to wait for its answer. */
  const answering = new Map<Link, { readonly correlation: number; readonly then: () => void }>()
  let seen = 0
  let turn = 0
  let over = false

  const lateFirst = (id: string, then: () => void): boolean => {
    const held = late.get(id)
    if (held === undefined) return false
    late.delete(id)
    answering.set(held.link, { correlation: held.message.readInt32BE(8), then })
    held.link.toServer(held.message)
    return true
  }
  const proxy = await tcpProxy(to, {
    look: (way, message, link) => {
      if (way === 'answers') {
        const waiting = answering.get(link)
        if (waiting?.correlation !== message.readInt32BE(4)) return true
        const code = message.readInt16BE(12)
        lateAnswers.set(code, (lateAnswers.get(code) ?? 0) + 1)
        answering.delete(link)
        link.cut()
        waiting.then()
        return false
      }
      if (message.readInt16BE(4) !== endTxn) return true
      const { id, commits } = transactionOf(message)
      if (lateFirst(id, () => link.toServer(message))) return false
      seen += 1
      if (over || !commits || seen % each !== 0) return true
      const fate = fates[turn++ % fates.length]!
      counts.set(fate, counts.get(fate)! + 1)
      if (fate !== 'delayed') link.toServer(message)
      if (fate !== 'unanswered') late.set(id, { link, message })
      link.leave()
      return false
    },
  })
  return {
    proxy,
    counts,
    lateAnswers,
    stop: () => {
      over = true
    },
  }
}

function transactionOf(message: Buffer): { readonly id: string; readonly commits: boolean } {
  const body = 14 + Math.max(0, message.readInt16BE(12))
  const length = message.readInt16BE(body)
  const id = message.toString('utf8', body + 2, body + 2 + length)
  return { id, commits: message[body + 2 + length + 10] === 1 }
}
