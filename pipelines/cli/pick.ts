import { nearest } from '../runtime/nearest.ts'
import type { Pipeline } from '../runtime/stream.ts'
import { usageError } from './errors.ts'

/** The pipelines with these names, in their own order; all of them where none is named. */
export function pick(pipelines: readonly Pipeline[], names: readonly string[]): readonly Pipeline[] {
  const known = pipelines.map(({ name }) => name)
  for (const name of names) {
    if (known.includes(name)) continue
    const [closest] = nearest(name, known, 1)
    throw usageError(
      `There is no pipeline ${name}.`,
      closest ? `Did you mean ${closest}? There are ${known.join(', ')}.` : `There are ${known.join(', ')}.`,
    )
  }
  return names.length === 0 ? pipelines : pipelines.filter(({ name }) => names.includes(name))
}
