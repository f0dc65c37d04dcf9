import { ForeignTopicsError, openServicesWorld, type ServicesWorld } from '../simulation/services-world.ts'
import type { WorldOptions } from '../simulation/world.ts'
import { usageError } from './errors.ts'
import { runningServices, shownAddress } from './services-addresses.ts'
import type { Terminal } from './terminal.ts'

/** Real services under a demo. */
export interface DemoServices {
  readonly open: (options: WorldOptions) => Promise<ServicesWorld>
  /** Says how others can read what was released. */
  readonly show: () => void
  readonly close: () => Promise<void>
}

/** Kafka, registry and Redis as the environment names them, or as `services up` brought them up. */
export async function demoServices(terminal: Terminal): Promise<DemoServices> {
  const addresses = await runningServices()
  const shown = Object.fromEntries(Object.entries(addresses).map(([name, url]) => [name, shownAddress(url)]))
  let world: ServicesWorld | undefined
  terminal.line(`On Kafka at ${addresses.kafka}, with a schema registry and Redis; their times are simulated too.`)
  return {
    open: async (options) => {
      try {
        world = await openServicesWorld(options, addresses)
        return world
      } catch (error) {
        if (!(error instanceof ForeignTopicsError)) throw error
        throw usageError(
          `${error.message}, and a demo would replace them.`,
          'Bring up others with npm run services -- up --data FOLDER, and name them in KAFKA_BOOTSTRAP.',
        )
      }
    },
    show: () => {
      terminal.title('Who else can read it')
      terminal.line(`  Kafka ${shown['kafka']}, topic load.public, Avro by the registry at ${shown['registry']}`)
      terminal.line('  Any client does; docs/analyst.md shows one in Python.')
      terminal.record({ kind: 'services', ...shown })
    },
    close: async () => await world?.close(),
  }
}
