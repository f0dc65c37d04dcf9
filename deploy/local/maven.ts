import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FetchContext, fetched, fetchWith } from './fetch.ts'
import { run, which } from './program.ts'
import { type NeededProgram, requireProgram } from './system-packages.ts'
import { versions } from './versions.ts'

const maven: NeededProgram = { name: 'mvn', title: 'Maven', find: () => which('mvn'), debian: ['maven'] }
const tar: NeededProgram = { name: 'tar', title: 'tar', find: () => which('tar'), debian: ['tar'] }

/** Each with a repository of its own: two Mavens must not write into one at a time. It is deleted afterwards. */
const mavenOptions = (repository: string) => ['-B', '-q', '-ntp', `-Dmaven.repo.local=${repository}`]

/** Names of the fetched pieces in the cache. */
export const kafkaFolder: string = `kafka-${versions.kafka}`
export const registryFolder = (version: string): string => `registry-${version}`

/** Fetches the broker and everything it needs from Maven, without its tools, which would double the download. */
export const kafkaJars = (context: FetchContext): Promise<string> =>
  jarsOf(context, `kafka_${versions.scala}`, kafkaFolder, `Kafka ${versions.kafka}`)

/** Fetches Kafka's command line tools, which benches compare with. */
export const kafkaToolJars = (context: FetchContext): Promise<string> =>
  jarsOf(context, 'kafka-tools', `kafka-tools-${versions.kafka}`, `Tools of Kafka ${versions.kafka}`)

/** Fetches an artifact of Kafka with everything it needs; gives the folder of the jars. */
async function jarsOf(context: FetchContext, artifact: string, piece: string, title: string): Promise<string> {
  const folder = await fetched(context, piece, title, async (into) => {
    const command = await requireProgram(maven, context)
    writeFileSync(join(into, 'pom.xml'), kafkaPom(artifact))
    const repository = join(into, 'm2')
    await fetchWith(command, [...mavenOptions(repository), 'dependency:copy-dependencies'], title, into)
    rmSync(repository, { recursive: true, force: true })
  })
  return join(folder, 'lib')
}

function kafkaPom(artifact: string): string {
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>jars-of-${artifact}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${versions.kafka}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>${versions.log4jBinding}</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>${versions.mavenDependencyPlugin}</version>
        <configuration>
          <outputDirectory>\${project.basedir}/lib</outputDirectory>
          <includeScope>runtime</includeScope>
        </configuration>
      </plugin>
    </plugins>
  </build>
</project>
`
}

/** Fetches a version of the registry from Maven and unpacks it; gives the folder and the jar to run. */
export async function registryProgram(
  context: FetchContext,
  version: string,
): Promise<{ readonly folder: string; readonly jar: string }> {
  const title = `Apicurio Registry ${version}`
  const folder = await fetched(context, registryFolder(version), title, async (into) => {
    const command = await requireProgram(maven, context)
    const untar = await requireProgram(tar, context)
    const repository = join(into, 'm2')
    const plugin = `org.apache.maven.plugins:maven-dependency-plugin:${versions.mavenDependencyPlugin}:copy`
    const artifact = `-Dartifact=io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
    const args = [...mavenOptions(repository), plugin, artifact, `-DoutputDirectory=${into}`]
    await fetchWith(command, args, title, into)
    const archive = readdirSync(into).find((name) => name.endsWith('.tar.gz')) ?? ''
    const { code, stderr } = await run(untar, ['xzf', archive], { timeoutMs: 120_000, cwd: into })
    if (code !== 0) throw new Error(`${archive} could not be unpacked: ${stderr}`)
    rmSync(repository, { recursive: true, force: true })
    rmSync(join(into, archive))
  })
  const jar = readdirSync(folder).find((name) => name === 'quarkus-run.jar' || name.endsWith('-runner.jar'))
  if (jar === undefined) throw new Error(`${folder} holds no jar of the registry: delete the folder and try again`)
  return { folder, jar }
}

/** Whether Maven can be run, or installed. */
export const hasMaven = (): boolean => maven.find() !== undefined
