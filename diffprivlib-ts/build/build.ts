// npm run build -w diffprivlib-ts [-- FOLDER]: the published form, in dist or another folder. `npm pack` and `npm publish` take that folder.
import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { type Manifest, publishedManifest, withCompiledImports } from './published.ts'

const home = resolve(import.meta.dirname, '..')
const out = resolve(process.argv[2] ?? join(home, 'dist'))

const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const { status } = spawnSync(process.execPath, [compiler, '-p', join(home, 'tsconfig.build.json'), '--outDir', out], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
if (status !== 0) process.exit(status ?? 1)

for (const file of globSync('**/*.d.ts', { cwd: out })) {
  const path = join(out, file)
  writeFileSync(path, withCompiledImports(readFileSync(path, 'utf8')))
}
const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest
writeFileSync(join(out, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)
for (const page of globSync('*.md', { cwd: home })) copyFileSync(join(home, page), join(out, page))
copyFileSync(join(home, '../LICENSE'), join(out, 'LICENSE'))
