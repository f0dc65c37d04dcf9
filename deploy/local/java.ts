import { globSync } from 'node:fs'
import { join } from 'node:path'
import { isExecutable, run, which } from './program.ts'

/** A Java runtime on this machine. */
export interface Java {
  readonly command: string
  /** Major version, for instance 17. */
  readonly major: number
  /** Full version as the runtime prints it. */
  readonly version: string
}

/** What a Java command says about itself, or undefined if it does not run. */
export async function inspectJava(command: string): Promise<Java | undefined> {
  try {
    const { code, stdout, stderr } = await run(command, ['-version'], { timeoutMs: 20_000 })
    const version = /version "([^"]+)"/.exec(stderr + stdout)?.[1]
    if (code !== 0 || version === undefined) return undefined
    // Before Java 9 the major version came second: 1.8.
    const [first = '', second = ''] = version.split(/[._-]/)
    return { command, version, major: Number(first === '1' ? second : first) }
  } catch {
    return undefined
  }
}

/** The first Java of JAVA_HOME, the PATH and the usual folder of Linux that is at least `major`; undefined if none is. */
export async function findJava(major: number, env: NodeJS.ProcessEnv = process.env): Promise<Java | undefined> {
  const home = env['JAVA_HOME']
  const onPath = which('java', env['PATH'])
  const candidates = [
    ...(home ? [join(home, 'bin/java')] : []),
    ...(onPath ? [onPath] : []),
    ...globSync('/usr/lib/jvm/*/bin/java').sort(),
  ]
  for (const command of candidates.filter(isExecutable)) {
    const java = await inspectJava(command)
    if (java && java.major >= major) return java
  }
  return undefined
}
