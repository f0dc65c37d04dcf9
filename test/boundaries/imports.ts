import type { Token } from './lexer.ts'

/** One import, re-export or dynamic import of a file. */
export interface Import {
  readonly from: string
  /** Names as the other module exports them; `*` for a namespace, `default` for a default import. */
  readonly names: readonly string[]
  readonly kind: 'import' | 'export' | 'dynamic' | 'type'
  readonly line: number
}

/** Every import of a file, types included: a type drags its module's ideas along just as a value does. */
export function importsOf(all: readonly Token[]): readonly Import[] {
  const found: Import[] = []
  all.forEach((token, at) => {
    if (token.kind !== 'word') return
    const before = all[at - 1]
    if (before?.kind === 'mark' && before.text === '.') return
    if (token.text === 'import') found.push(...importAt(all, at))
    if (token.text === 'export') found.push(...exportAt(all, at))
    if (token.text === 'require' && all[at + 1]?.text === '(') {
      found.push({ from: all[at + 2]?.text ?? '', names: ['*'], kind: 'dynamic', line: token.line })
    }
  })
  return found
}

function importAt(all: readonly Token[], at: number): readonly Import[] {
  const next = all[at + 1]
  const line = all[at]?.line ?? 0
  if (next?.kind === 'string') return [{ from: next.text, names: [], kind: 'import', line }]
  if (next?.text === '(') {
    const target = all[at + 2]
    const fixed = target?.kind === 'string' && all[at + 3]?.text === ')'
    const kind = isTypeQuery(all, at) ? 'type' : 'dynamic'
    return [{ from: fixed ? target.text : '?', names: ['*'], kind, line }]
  }
  return clause(all, at + 1, 'import', line)
}

function exportAt(all: readonly Token[], at: number): readonly Import[] {
  const next = all[at + 1]?.text === 'type' ? all[at + 2] : all[at + 1]
  if (next?.text !== '{' && next?.text !== '*') return []
  return clause(all, at + 1, 'export', all[at]?.line ?? 0)
}

/** Reads `type? default?, {a, b as c} | * as d from 'x'`; no import where no `from` follows (a plain `export {a}`). */
function clause(all: readonly Token[], start: number, kind: 'import' | 'export', line: number): readonly Import[] {
  const names: string[] = []
  let at = start
  const typeOnly = all[at]?.text === 'type' && all[at + 1]?.text !== 'from' && all[at + 1]?.text !== ','
  if (typeOnly) at += 1
  if (all[at]?.kind === 'word' && all[at]?.text !== 'from') {
    names.push('default')
    at += 1
    if (all[at]?.text === ',') at += 1
  }
  if (all[at]?.text === '*') {
    names.push('*')
    at += all[at + 1]?.text === 'as' ? 3 : 1
  }
  if (all[at]?.text === '{') {
    for (at += 1; at < all.length && all[at]?.text !== '}'; at += 1) {
      if (all[at]?.text === ',') continue
      if (all[at]?.text === 'type' && isName(all[at + 1])) at += 1
      names.push(all[at]?.text ?? '')
      if (all[at + 1]?.text === 'as') at += 2
    }
    at += 1
  }
  const from = all[at + 1]
  if (all[at]?.text !== 'from' || from?.kind !== 'string') return []
  return [{ from: from.text, names, kind: typeOnly ? 'type' : kind, line }]
}

const isName = (token: Token | undefined) => token?.kind === 'word' && token.text !== 'as'

/** `typeof import('x')` and `import('x').T` in a type; told from a call by what stands before. */
function isTypeQuery(all: readonly Token[], at: number): boolean {
  const before = all[at - 1]?.text
  return before === 'typeof' || before === ':' || before === '|' || before === '<'
}
