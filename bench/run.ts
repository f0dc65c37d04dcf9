// npm run bench [-- NAME [arguments]]: runs one bench in a process of its own, or lists them all.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const benches = new Map(
  readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => [basename(file, '.bench.ts'), join(import.meta.dirname, file)]),
)

const [name, ...rest] = process.argv.slice(2)
const file = name === undefined ? undefined : benches.get(name)
if (file === undefined) {
  process.stderr.write(name === undefined ? 'name a bench:\n' : `there is no bench ${name}; there are:\n`)
  for (const known of [...benches.keys()].sort()) process.stderr.write(`  npm run bench -- ${known}\n`)
  process.exitCode = 2
} else {
  process.exitCode =
    spawnSync(process.execPath, ['--expose-gc', '--max-semi-space-size=64', file, ...rest], { stdio: 'inherit' })
      .status ?? 1
}
