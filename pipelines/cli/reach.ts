import { isIP } from 'node:net'
import { connect } from 'node:tls'

/** What is behind an address: nobody, one who speaks TLS, or one who does not. */
export type Door = 'closed' | 'tls' | 'plain'

/** Before a connection stands, these say that there is nobody. */
const absent = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL)$/

/** Greets in TLS to learn what is behind an address. Nothing is trusted and nothing is sent: this is for an error message. */
export function knock(host: string, port: number, timeoutMs = 2_000): Promise<Door> {
  return new Promise((resolve) => {
    let reached = false
    const socket = connect({ host, port, rejectUnauthorized: false, ...(isIP(host) ? {} : { servername: host }) })
    const end = (door: Door) => {
      socket.destroy()
      resolve(door)
    }
    socket.setTimeout(timeoutMs, () => end(reached ? 'plain' : 'closed'))
    socket.on('connect', () => {
      reached = true
    })
    socket.on('secureConnect', () => end('tls'))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (!reached || absent.test(code ?? '')) end('closed')
      // An alert is an answer in TLS; anything else is none.
      else end(/^ERR_SSL_.*ALERT/.test(code ?? '') ? 'tls' : 'plain')
    })
    socket.on('close', () => end(reached ? 'plain' : 'closed'))
  })
}
