import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after } from 'node:test'

const root = resolve(import.meta.dirname, '../..')

/** The folder of the sources of diffprivlib-ts. */
export const sources: string = join(root, 'diffprivlib-ts')

/** The compiler of this repository, to be run by Node. */
export const compiler: string = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc',
)

/** A folder that is gone after the test file's last test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'diffprivlib-published-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Builds the published form of diffprivlib-ts into a folder. Throws what the compiler says where it does not compile. */
export function buildPublished(folder: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(sources, 'build/build.ts'), folder], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`)
}

/** Runs npm without a network, with a cache of its own, and gives what it printed. */
export function npm(args: readonly string[], cwd: string, cache: string): string {
  return execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--cache', cache], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The entries that the sources export, with their source files: `.`, `./audit` and so on. */
export function entries(): Readonly<Record<string, string>> {
  const { exports } = JSON.parse(readFileSync(join(sources, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string>>
  }
  return exports
}
