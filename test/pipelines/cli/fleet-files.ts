// A fleet as the files that an operator has: key ring folder, register, and frames to send.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultRates } from '../../../bench/fleet/index.ts'
import { createFleet } from '../../../bench/fleet/index.ts'
import { meterSecrets } from '../../../bench/fleet/keys.ts'
import { fileKeyring } from '../../../connectors/keyring/index.ts'
import { pseudonymsOf } from '../../../pipelines/cli/demo-scenario.ts'

export const partitions = 2
const seed = 7

/** Retries and lateness as usual, but nothing that makes it uncertain whether an interval arrives. */
const quiet: Partial<FaultRates> = {
  never: 0,
  gatewaysDown: 0,
  outageLost: 0,
  clockOff300: 0,
  corrupt: 0,
  replayed: 0,
  restated: 0,
  tooLate: 0,
  weakened: 0,
  unknown: 0,
}

/**
 * Writes the files of a fleet of meters near London, for a day that ended before now and is within the horizon, and
 * answers the settings that name them.
 */
export function writeFleet(
  folder: string,
  { homes = 6, faults = {} }: { homes?: number; faults?: Partial<FaultRates> } = {},
) {
  const start = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 4 * 86_400_000
  const profileNames = { described: 'interval-30min', objects: 'interval-30min' }
  const fleet = createFleet({
    seed,
    homes,
    start,
    timeZone: 'UTC',
    partitions,
    profileNames,
    faults: { ...quiet, ...faults },
  })
  const keys = join(folder, 'keys')
  mkdirSync(keys, { recursive: true })
  const secret = (name: string, text: string) => {
    writeFileSync(join(keys, name), text)
    chmodSync(join(keys, name), 0o600)
  }
  const meters = fleet.entries.map(({ keyRef }) => {
    const { encryption, authentication } = meterSecrets(seed, keyRef)!
    return {
      ref: keyRef,
      encryption: encryption.export().toString('hex'),
      authentication: Buffer.from(authentication).toString('hex'),
    }
  })
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')
  secret('master.key', '5a'.repeat(32))
  secret('meters.jsonl', lines(meters))
  writeFileSync(join(folder, 'register.jsonl'), lines(fleet.entries))
  const frames = [...fleet.arrivals()]
    .flatMap(({ arrivals }) => arrivals)
    .map(({ frame: { connection, transport, bytes } }) => ({
      connection,
      transport,
      hex: Buffer.from(bytes).toString('hex'),
    }))
  const input = join(folder, 'frames.ndjson')
  writeFileSync(input, lines(frames))
  return {
    fleet,
    frames,
    meters,
    input,
    secret,
    lines,
    env: {
      METERVEIL_KEYRING_FOLDER: keys,
      METERVEIL_REGISTER_FILE: join(folder, 'register.jsonl'),
      METERVEIL_DATA_FOLDER: join(folder, 'data'),
      METERVEIL_PARTITIONS: String(partitions),
      METERVEIL_ZONE: fleet.entries[0]!.zone,
    },
  }
}

/** Every interval that the meters truly sent, as it must lie in household.readings. */
export function expectedIntervals({ fleet, env }: ReturnType<typeof writeFleet>): string[] {
  const { journal } = fleet
  const pseudonymOf = pseudonymsOf(fileKeyring(env.METERVEIL_KEYRING_FOLDER))
  const all: string[] = []
  for (let home = 0; home < journal.homes; home++) {
    for (let slot = 0; slot < journal.slots; slot++) {
      if (journal.expectation(home, slot) !== 'required') continue
      const pseudonym = Buffer.from(pseudonymOf(journal.connectionOf(home), journal.dateOf(slot))).toString('hex')
      for (const channel of ['import', 'export'] as const) {
        if (journal.valueWh(home, channel, slot) === undefined) continue
        all.push(`${pseudonym} ${channel} ${journal.start + slot * journal.intervalMs}`)
      }
    }
  }
  return all.sort()
}
