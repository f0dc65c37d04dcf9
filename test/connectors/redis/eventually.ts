import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 10_000

/** Tries again until it succeeds: a client has to notice first that its server is another one. */
export async function eventually<T>(act: () => Promise<T>): Promise<T> {
  const until = performance.now() + patienceMs
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(20)
    }
  }
}
