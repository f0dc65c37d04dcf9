import { type Profiler, Session } from 'node:inspector'
import { promisify } from 'node:util'

/** Enough samples over a minute for a share of 5 % within a few tenths, and too few to slow the run. */
const samplesPerSecond = 250

/** Code that is there for differential privacy and k-anonymity alone. Pseudonyms there would be anyway. */
const isPrivacy = ({ url }: { readonly url: string }): boolean =>
  /\/(?:operators\/privacy|diffprivlib-ts)\//.test(url) && !url.endsWith('/pseudonymize.ts')

/**
 * Samples the JavaScript of this thread, and answers on `stop` which part of what ran was code of `isPrivacy` or was called
 * by it, in %. Timing the operators by the clock would count as theirs whatever came in between: other work on the machine,
 * and collections of a heap that is mostly the bench's own. What collects garbage is left out of both sides.
 * What the compiler has put into a function that is not meant counts as that function's: here the look-up of attributes
 * in `pseudonymize`, one line of memory a record.
 */
export async function profilePrivacy(): Promise<{ readonly stop: () => Promise<number> }> {
  const session = new Session()
  session.connect()
  const post = promisify(session.post.bind(session) as (method: string, parameters: object, done: Done) => void)
  await post('Profiler.enable', {})
  await post('Profiler.setSamplingInterval', { interval: 1e6 / samplesPerSecond })
  await post('Profiler.start', {})
  return {
    stop: async () => {
      const { profile } = (await post('Profiler.stop', {})) as Profiler.StopReturnType
      session.disconnect()
      return shareOf(profile, isPrivacy)
    },
  }
}

type Done = (error: Error | null, result?: unknown) => void

/** Which part of the samples of a profile lies in functions that are meant, or is called by them, in %. */
export function shareOf(
  { nodes, samples = [] }: Pick<Profiler.Profile, 'nodes' | 'samples'>,
  isMeant: (place: { readonly url: string }) => boolean,
): number {
  const meant = new Map<number, boolean>()
  const asides = new Set<number>()
  // A node comes before its children.
  for (const { id, callFrame, children = [] } of nodes) {
    const own = meant.get(id) === true || isMeant(callFrame)
    meant.set(id, own)
    for (const child of children) meant.set(child, own)
    if (['(idle)', '(garbage collector)'].includes(callFrame.functionName)) asides.add(id)
  }
  const working = samples.filter((id) => !asides.has(id))
  return (100 * working.filter((id) => meant.get(id)).length) / working.length
}
