import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Import, importsOf } from '../boundaries/imports.ts'
import { tokens } from '../boundaries/lexer.ts'

const root = resolve(import.meta.dirname, '../..')

/** Entries of the package and the files that they stand for, from the root of the repository; data left out. */
export const entryFiles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly exports: Record<string, string> })
      .exports,
  ).filter(([, file]) => file.endsWith('.ts')),
)

/** What an entry exports when it is loaded. */
export async function valuesOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(join(root, file))) as Readonly<Record<string, unknown>>
}

/** Every name that an entry exports, types with `type ` before them, sorted. */
export async function namesOf(file: string): Promise<readonly string[]> {
  const values = Object.keys(await valuesOf(file))
  const types = declaredIn(join(root, file)).filter((name) => !values.includes(name))
  return [...values, ...types.map((name) => `type ${name}`)].sort()
}

/** Names that a file declares with `export`, or hands on from other files of ours. */
function declaredIn(path: string): readonly string[] {
  const text = readFileSync(path, 'utf8')
  const own = [...text.matchAll(/^export (?:declare )?(?:type|interface|const|function|class|async function) (\w+)/gm)]
  const passed = importsOf(tokens(text)).filter((one: Import) => one.kind === 'export' || isTypeExport(text, one))
  return [
    ...new Set([
      ...own.map(([, name]) => name as string),
      ...passed.flatMap(({ from, names }) => (names.includes('*') ? declaredIn(resolve(dirname(path), from)) : names)),
    ]),
  ]
}

const isTypeExport = (text: string, { kind, line }: Import): boolean =>
  kind === 'type' && /^export type[ {]/.test(text.split('\n')[line - 1] ?? '')
