import { RegistryError, type SchemaVersion } from '../contract.ts'

/** Whether an answer describes a version of a subject. */
export function isVersion(answer: unknown): answer is SchemaVersion {
  if (typeof answer !== 'object' || answer === null) return false
  const { id, version, schema } = answer as Record<string, unknown>
  return Number.isInteger(id) && Number.isInteger(version) && typeof schema === 'string'
}

/** The level in an answer about a subject's configuration; undefined if it has none of its own. */
export function compatibilityLevel(answer: unknown): string | undefined {
  const level = (answer as { readonly compatibilityLevel?: unknown } | undefined)?.compatibilityLevel
  return typeof level === 'string' ? level.toUpperCase() : undefined
}

/**
 * Settles with the call, or rejects with RegistryError `unreachable` after `timeoutMs`. The call itself ends by the timeouts
 * of its requests.
 */
export async function withDeadline<T>(where: string, timeoutMs: number, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new RegistryError(
          'unreachable',
          `the schema registry at ${where} gave no answer within ${timeoutMs} ms: check registry.url, and that the registry runs`,
        ),
      )
    }, timeoutMs)
  })
  try {
    return await Promise.race([call(), late])
  } finally {
    clearTimeout(timer)
  }
}
