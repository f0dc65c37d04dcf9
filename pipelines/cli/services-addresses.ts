import * as local from '../../deploy/local/index.ts'
import type { ServiceAddresses } from '../simulation/services-world.ts'
import { usageError } from './errors.ts'

/** An address as it may be shown: without user and password. */
export const shownAddress = (address: string): string => local.withoutUser(address)

/** Where Kafka, the registry and Redis are: as the environment says, or as `services up` brought them up. */
export async function runningServices(): Promise<ServiceAddresses> {
  const all = await local.status(local.defaultFolder)
  const addressOf = (name: local.ServiceName): string => {
    const { state, address, title } = all.find(({ service }) => service === name)!
    // What is shown has lost its user and password.
    if (state === 'given') return process.env[local.services[name].variable]!
    if (address && state === 'ready') return address
    throw usageError(`${title || name} does not run here.`, 'Run npm run services -- up, then the same command again.')
  }
  return { kafka: addressOf('kafka'), registry: addressOf('registry'), redis: addressOf('redis') }
}
