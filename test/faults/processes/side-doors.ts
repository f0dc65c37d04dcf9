import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../deploy/local/ports.ts'
import type { OwnServices } from '../../helpers/services.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/**
 * Gives a lone broker of a test's own a listener behind each proxy, which tells its clients the proxy's address and so
 * never lets them past it. Whoever uses the first address stays undisturbed. Answers the proxies in order.
 */
export async function sideDoors<P extends { readonly proxy: TcpProxy }>(
  own: OwnServices,
  makers: readonly ((to: { readonly port: number }) => Promise<P>)[],
): Promise<readonly P[]> {
  const doors: { readonly name: string; readonly port: number; readonly made: P }[] = []
  for (const [at, make] of makers.entries()) {
    const port = await freePort()
    doors.push({ name: `SIDE${at}`, port, made: await make({ port }) })
  }
  const file = join(own.folder('kafka'), 'broker-1', 'server.properties')
  const additions: Readonly<Record<string, string[]>> = {
    listeners: doors.map(({ name, port }) => `${name}://127.0.0.1:${port}`),
    'advertised.listeners': doors.map(({ name, made }) => `${name}://127.0.0.1:${made.proxy.port}`),
    'listener.security.protocol.map': doors.map(({ name }) => `${name}:PLAINTEXT`),
  }
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      const more = additions[line.slice(0, line.indexOf('='))]
      return more ? [line, ...more].join(',') : line
    })
  writeFileSync(file, lines.join('\n'))
  await own.kill('kafka', 'SIGTERM')
  await own.start('kafka')
  return doors.map(({ made }) => made)
}
