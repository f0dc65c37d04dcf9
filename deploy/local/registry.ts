import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { classDataArchive } from './archive.ts'
import { isFetched } from './fetch.ts'
import { findJava, type Java } from './java.ts'
import { hasMaven, registryFolder, registryProgram } from './maven.ts'
import { freePort } from './ports.ts'
import { probeRegistry, registryUrl } from './probe.ts'
import { fetchedJava, hasPip, javaFolder } from './python.ts'
import type { PrepareContext, Prepared, Service } from './service.ts'
import { canInstall, missing } from './system-packages.ts'
import { defaultPorts, minimum, versions } from './versions.ts'

/** A Confluent-compatible schema registry: Apicurio, with its schemas in a file. */
export const registry: Service = {
  name: 'registry',
  title: 'Schema registry',
  variable: 'SCHEMA_REGISTRY_URL',
  reach: probeRegistry,
  installed: async ({ env, cache }) => {
    if (isFetched(cache, registryFolder(versions.registryForJava17))) return true
    if (!isFetched(cache, registryFolder(versions.registry))) return false
    return isFetched(cache, javaFolder) || (await findJava(minimum.registryJava, env)) !== undefined
  },
  prepare,
  ready: async ({ port }) => (await probeRegistry(registryUrl(port))) !== undefined,
  // A first stop writes the class-data archive too.
  graceMs: 40_000,
}

async function prepare(context: PrepareContext): Promise<Prepared> {
  const { folder, before, usualPorts } = context
  const { java, version } = await chosen(context)
  const program = await registryProgram(context, version)
  const runtime = java ?? (await fetchedJava(context))
  mkdirSync(join(folder, 'data'), { recursive: true })
  const usual = usualPorts ? [defaultPorts.registry] : []
  const port = await freePort([...(before?.ports['api'] ? [before.ports['api']] : []), ...usual])
  // Left alone it takes 9000, whoever else wants it.
  const management = await freePort(before?.ports['management'] ? [before.ports['management']] : [])
  const { options, archive } = classDataArchive(context.cache, folder, `registry-${version}`, runtime)
  return {
    title: `Apicurio Registry ${version} on Java ${runtime.major}`,
    address: registryUrl(port),
    ports: { api: port, management },
    nodes: [
      {
        name: 'registry',
        port,
        command: runtime.command,
        args: [
          '-Xms64m',
          '-Xmx256m',
          '-XX:+UseSerialGC',
          '-XX:TieredStopAtLevel=1',
          ...options,
          '-Dquarkus.http.host=127.0.0.1',
          `-Dquarkus.http.port=${port}`,
          '-Dquarkus.management.host=127.0.0.1',
          `-Dquarkus.management.port=${management}`,
          `-Dapicurio.datasource.url=jdbc:h2:file:${join(folder, 'data', 'registry')};DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0`,
          '-Dquarkus.log.level=WARN',
          '-jar',
          program.jar,
        ],
        cwd: program.folder,
        log: join(folder, 'registry.log'),
        ...(archive ? { archive } : {}),
      },
    ],
  }
}

/** The newest version that a Java of this machine, or one that can be fetched (then `java` is undefined), runs. */
async function chosen(context: PrepareContext): Promise<{ readonly java: Java | undefined; readonly version: string }> {
  const current = await findJava(minimum.registryJava, context.env)
  if (current || (await hasPip())) {
    // Both downloads at once: the runtime does not wait for the registry.
    if (!current) await Promise.all([fetchedJava(context), registryProgram(context, versions.registry)])
    return { java: current, version: versions.registry }
  }
  const old = await findJava(minimum.registryOldJava, context.env)
  if (old && (hasMaven() || canInstall())) return { java: old, version: versions.registryForJava17 }
  throw missing([
    { title: `Java ${minimum.registryJava} (or Java ${minimum.registryOldJava} and Maven)`, debian: ['maven'] },
  ])
}
