import { existsSync, globSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { which } from './program.ts'
import { minimum } from './versions.ts'

/** A Kafka that is installed on this machine. */
export interface InstalledKafka {
  readonly libraries: string
  readonly version: string
}

/** The Kafka of KAFKA_HOME, or of the start script on the PATH, if it is new enough. */
export function installedKafka(env: NodeJS.ProcessEnv): InstalledKafka | undefined {
  const script = which('kafka-server-start.sh', env['PATH']) ?? which('kafka-server-start', env['PATH'])
  const homes = [env['KAFKA_HOME'], script ? dirname(dirname(realpathSync(script))) : undefined]
  for (const home of homes.filter((one) => one !== undefined && existsSync(join(one, 'libs')))) {
    const libraries = join(home as string, 'libs')
    const version = globSync('kafka_2.*.jar', { cwd: libraries })
      .map((jar) => /^kafka_2\.\d+-(\d+\.\d+\.\d+)\.jar$/.exec(basename(jar))?.[1])
      .find((one) => one !== undefined)
    if (version && Number(version.split('.')[0]) >= minimum.kafka) return { libraries, version }
  }
  return undefined
}
