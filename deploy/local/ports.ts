import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { ServicesError } from './errors.ts'

/** Below the range from which systems take ports for outgoing connections, which would take them between look and use. */
const range = { first: 20_000, last: 31_999 } as const

const given = new Set<number>()

/** Whether nobody listens on a loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/**
 * A loopback port that nobody listens on: the first of the preferred ones that is free, else any that this process was not
 * given before.
 */
export async function freePort(preferred: readonly number[] = []): Promise<number> {
  for (const port of preferred) {
    if (!(await isFree(port))) continue
    given.add(port)
    return port
  }
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(range.first, range.last + 1)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
  throw new ServicesError('start_failed', 'No free port was found.', 'End some of the programs that listen on ports.')
}
