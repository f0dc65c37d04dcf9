import { connect } from 'node:net'
import { registryBasePath } from './versions.ts'

/** What a service answered to the first question; undefined if it did not, or not as such a service does. */
export type Probe = Promise<string | undefined>

const timeoutMs = 2_000

/** Asks a broker for its API versions over a plain connection, which any broker answers to anybody. */
export async function probeKafka(host: string, port: number): Probe {
  const client = Buffer.from('meterveil')
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2)
  request.writeInt32BE(10 + client.length, 0)
  request.writeInt16BE(18, 4)
  request.writeInt16BE(0, 6)
  request.writeInt32BE(1, 8)
  request.writeInt16BE(client.length, 12)
  const answer = await ask(host, port, Buffer.concat([request, client]), (bytes) =>
    bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0) ? bytes : undefined,
  )
  return answer && answer.length >= 10 && answer.readInt32BE(4) === 1 && answer.readInt16BE(8) === 0
    ? 'Kafka'
    : undefined
}

/** Whether anybody takes a connection: all that can be asked of a service behind TLS or a password. */
export async function probeConnection(host: string, port: number): Probe {
  return (await ask(host, port, undefined, () => undefined)) && 'a listener'
}

/** Pings a Redis; one that wants a password or still loads its data answers too, and only the latter is not ready. */
export async function probeRedis(host: string, port: number): Probe {
  const [line] = await redis(host, port, ['PING'])
  return line?.startsWith('+PONG') || line?.startsWith('-NOAUTH') ? 'Redis' : undefined
}

/** Sends one command without a password; gives the first line of the answer and what follows it. */
export async function redis(host: string, port: number, command: readonly string[]): Promise<readonly string[]> {
  const text = `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
  const answer = await ask(host, port, Buffer.from(text), (bytes) => (wholeReply(bytes) ? bytes : undefined))
  return answer === undefined ? [] : answer.toString('utf8').split('\r\n')
}

/** Simple replies and bulk strings; this file asks for nothing else. */
function wholeReply(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n')
  if (end < 0) return false
  if (bytes[0] !== 0x24) return true
  return bytes.length >= end + 4 + Math.max(0, Number(bytes.toString('latin1', 1, end)))
}

/** Lists the subjects of a registry under its Confluent-compatible address, as the user whom the address names. */
export async function probeRegistry(address: string): Probe {
  try {
    const url = new URL(address)
    const user = [url.username, url.password].map(decodeURIComponent).join(':')
    url.username = ''
    url.password = ''
    const answer = await fetch(`${url.href.replace(/\/$/, '')}/subjects`, {
      headers: user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    return answer.ok && Array.isArray(await answer.json()) ? 'a schema registry' : undefined
  } catch {
    return undefined
  }
}

/** Address of the Confluent-compatible API of a registry of ours. */
export const registryUrl = (port: number): string => `http://127.0.0.1:${port}${registryBasePath}`

/** Connects, sends, and gathers bytes until `whole` has its answer. Without bytes to send the connection is the answer. */
function ask(
  host: string,
  port: number,
  request: Buffer | undefined,
  whole: (bytes: Buffer) => Buffer | undefined,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let bytes: Buffer = Buffer.alloc(0)
    const end = (answer: Buffer | undefined) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => end(undefined))
    socket.on('error', () => end(undefined))
    socket.on('close', () => end(undefined))
    socket.on('connect', () => {
      if (request === undefined) end(Buffer.alloc(0))
      else socket.write(request)
    })
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      const answer = whole(bytes)
      if (answer) end(answer)
    })
  })
}
