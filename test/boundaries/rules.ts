import { posix } from 'node:path'
import { type Import, importsOf } from './imports.ts'
import { layers, names, packages, pure, testPackages, words } from './layers.ts'
import { type Token, tokens } from './lexer.ts'

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string
  readonly text: string
}

export interface Violation {
  readonly rule: string
  readonly path: string
  readonly line: number
  readonly says: string
}

export const longestFile = 400

const test = /^(?:test|diffprivlib-ts\/test)\//

/** Checks every rule on every file. `exists` tells whether a path of the repository is there. */
export function checkBoundaries(files: readonly SourceFile[], exists: (path: string) => boolean): readonly Violation[] {
  return files.flatMap((file) => {
    const all = tokens(file.text)
    const imports = importsOf(all)
    return [
      ...checkTargets(file, imports, exists),
      ...checkNames(file, imports),
      ...checkWords(file, all),
      ...checkExports(file, all, imports),
      ...checkText(file),
    ]
  })
}

const violation = (rule: string, path: string, line: number, says: string): Violation => ({ rule, path, line, says })

/** A relative import as a path of the repository; every other one as written. */
function target({ path }: SourceFile, { from }: Import): string {
  return from.startsWith('.') ? posix.join(posix.dirname(path), from) : from
}

function checkTargets(file: SourceFile, imports: readonly Import[], exists: (path: string) => boolean): Violation[] {
  const { path } = file
  return imports.flatMap((one): Violation[] => {
    const found = (rule: string, says: string) => [violation(rule, path, one.line, says)]
    if (one.from === '?') {
      return test.test(path) ? [] : found('imports are fixed text', 'a computed import cannot be checked')
    }
    if (one.from.startsWith('.')) {
      const to = target(file, one)
      if (!exists(to)) return found('imports resolve', `${one.from} is not a file here: give its name with extension`)
      return checkLayer(path, to, one.line)
    }
    if (one.from.startsWith('node:')) {
      const limit = pure.find(({ files }) => files.test(path))
      if (!limit || limit.may.includes(one.from)) return []
      return found('no I/O in pure code', `${path} may not use ${one.from}: I/O belongs to connectors and the runtime`)
    }
    if (one.from.startsWith('#')) {
      return path.startsWith('diffprivlib-ts/src/random/') ? [] : found('packages have their place', one.from)
    }
    return checkPackage(path, one)
  })
}

function checkLayer(path: string, to: string, line: number): Violation[] {
  const layer = layers.find(({ files }) => files.test(path))
  if (!layer) return [violation('layers', path, line, 'this folder is not in test/boundaries/layers.ts')]
  const own = layer.files.exec(path)?.[1] ?? ''
  if (layer.may.some((prefix) => to.startsWith(prefix.replace('$1', own)))) return []
  return [violation('layers', path, line, `imports ${to}, but ${layer.says}`)]
}

function checkPackage(path: string, { from, line }: Import): Violation[] {
  const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/')
  const rule = 'packages have their place'
  if (test.test(path)) {
    const known = name in packages || testPackages.includes(name)
    return known ? [] : [violation(rule, path, line, `${name} is not in test/boundaries/layers.ts`)]
  }
  if (packages[name]?.some((place) => place.test(path))) return []
  const where = packages[name] ? 'elsewhere' : testPackages.includes(name) ? 'in tests' : 'nowhere'
  return [violation(rule, path, line, `${name} may be imported ${where} only (test/boundaries/layers.ts)`)]
}

function checkNames(file: SourceFile, imports: readonly Import[]): Violation[] {
  return imports.flatMap((one) =>
    names
      .filter((rule) => rule.from.test(target(file, one)))
      // Whoever may import a name still may not hand it on.
      .filter((rule) => one.kind === 'export' || !rule.only.some((place) => place.test(file.path)))
      .filter((rule) => one.names.some((name) => rule.names.includes(name)))
      .map((rule) => violation(rule.rule, file.path, one.line, rule.says)),
  )
}

function checkWords({ path }: SourceFile, all: readonly Token[]): Violation[] {
  const limits = words.filter(({ only }) => !only.some((place) => place.test(path)))
  return all.flatMap((token, at) => {
    if (token.kind !== 'word') return []
    return limits
      .filter((limit) => limit.words.includes(token.text))
      .filter(({ after = [] }) => after.every((text, i) => all[at - after.length + i]?.text === text))
      .filter(({ before = [] }) => before.every((text, i) => all[at + 1 + i]?.text === text))
      .filter(({ unless }) => unless === undefined || all[at + 1]?.text !== unless)
      .map((limit) => violation(limit.rule, path, token.line, limit.says))
  })
}

function checkExports({ path }: SourceFile, all: readonly Token[], imports: readonly Import[]): Violation[] {
  const defaults = all
    .filter((token, at) => token.text === 'default' && token.kind === 'word' && all[at - 1]?.text === 'export')
    .map(({ line }) => violation('no default export', path, line, 'export by name'))
  const barrels = imports
    .filter(({ kind, names: exported }) => kind === 'export' && exported.includes('*'))
    .filter(() => posix.basename(path) !== 'index.ts')
    .map(({ line }) => violation('one barrel a folder', path, line, 'only index.ts re-exports a whole module'))
  // Node's test runner takes a reporter from the default export.
  return path === 'test/not-run-reporter.ts' ? barrels : [...defaults, ...barrels]
}

function checkText({ path, text }: SourceFile): Violation[] {
  const lines = text.split('\n')
  const long =
    lines.length - 1 > longestFile ? [violation('short files', path, longestFile + 1, `over ${longestFile} lines`)] : []
  const silenced = lines.flatMap((line, at) =>
    /(?:\/\/|\*)\s*@ts-(?:ignore|nocheck|expect-error)/.test(line)
      ? [violation('the compiler is not silenced', path, at + 1, 'solve it, or refuse it in test/types')]
      : [],
  )
  return [...long, ...silenced]
}
