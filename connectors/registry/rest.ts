import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import clientApi, {
  type SchemaRegistryAPIClient,
  type SchemaRegistryAPIClientArgs,
} from '@kafkajs/confluent-schema-registry/dist/api/index.js'
import { RegistryError } from '../contract.ts'
import type { ConfluentRegistryOptions } from './confluent-registry.ts'

/** The registry's REST interface through the client's own layer, of which the client itself shows only a part. */
export interface Rest {
  readonly api: SchemaRegistryAPIClient
  readonly clientOptions: SchemaRegistryAPIClientArgs
  /** Address without user and password, for messages. */
  readonly where: string
  /** What a call answered; undefined where the registry knows no such thing. Rejects with RegistryError. */
  readonly get: (call: () => Promise<{ readonly data: () => unknown }>) => Promise<unknown>
}

/**
 * Opens the interface; connects at the first call.
 *
 * @throws RegistryError `unreachable` if the address is no http or https URL.
 */
export function openRest({ url, tls }: ConfluentRegistryOptions, timeoutMs: number): Rest {
  const address = URL.parse(url)
  if (address === null || !['http:', 'https:'].includes(address.protocol)) {
    throw new RegistryError('unreachable', 'registry.url is no http or https address: correct it')
  }
  const { username, password } = address
  const where = `${address.origin}${address.pathname.replace(/\/+$/, '')}`
  const clientOptions: SchemaRegistryAPIClientArgs = {
    host: where,
    clientId: 'meterveil',
    agent:
      address.protocol === 'https:' ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true }),
    // Without a timeout of its own a request to a host that has vanished would hang for as long as the system likes.
    middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }) })],
    retry: { retries: 2, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 1 },
    ...(username ? { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } } : {}),
  }
  return {
    api: clientApi.default(clientOptions),
    clientOptions,
    where,
    get: async (call) => {
      try {
        return (await call()).data()
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw registryFailure(where, error)
      }
    },
  }
}

/** An error of the client as one of the port. Only the status decides: registries word their errors differently. */
export function registryFailure(where: string, error: unknown, subject?: string): RegistryError {
  const status = statusOf(error)
  // The client gives a request that nobody answered the status 400, too.
  const detail = (error instanceof Error ? error.message : String(error)).replace(
    /^meterveil - Error, status 400: /,
    '',
  )
  if (status === 409) {
    return new RegistryError(
      'schema_incompatible',
      `the schema for ${subject} cannot read what its latest version wrote: give new fields a default`,
    )
  }
  if (status === 422)
    return new RegistryError('schema_invalid', `the registry takes the schema for ${subject} for none`)
  if (status === 401 || status === 403) {
    return new RegistryError(
      'unreachable',
      `the schema registry at ${where} refuses the user: check registry.username and registry.passwordFile, and the rights of that user`,
    )
  }
  return new RegistryError(
    'unreachable',
    `the schema registry at ${where} does not answer as it should (${detail}): check registry.url, and that the registry runs`,
  )
}

function statusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as { readonly status?: unknown }
  return typeof status === 'number' ? status : undefined
}
