const space = /[ \t\r\n]*/y
const token =
  /[{}[\],:]|"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy

/** What may come next: a value, a value or the end of an empty list, a name, a colon, what follows a value, or nothing. */
type Next = 'value' | 'first' | 'name' | 'first name' | 'colon' | 'after' | 'end'

/**
 * Where a text stops being JSON (RFC 8259), from 1 on; undefined for a text that is JSON. The parser of the engine says so
 * only at times, and then quotes the text, which may hold a secret.
 */
export function jsonFault(text: string): { readonly line: number; readonly column: number } | undefined {
  const open: string[] = []
  let next: Next = 'value'
  let at = 0
  const fault = () => {
    const lines = text.slice(0, at).split('\n')
    return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
  }
  const close = (): Next => {
    open.pop()
    return open.length === 0 ? 'end' : 'after'
  }
  for (;;) {
    space.lastIndex = at
    at += space.exec(text)?.[0].length ?? 0
    if (at === text.length) return next === 'end' ? undefined : fault()
    token.lastIndex = at
    const found = token.exec(text)?.[0]
    if (found === undefined) return fault()
    const inside = open.at(-1)
    const takesValue = next === 'value' || next === 'first'
    if (takesValue && (found === '{' || found === '[')) {
      open.push(found)
      next = found === '{' ? 'first name' : 'first'
    } else if (found === '}' && inside === '{' && (next === 'first name' || next === 'after')) next = close()
    else if (found === ']' && inside === '[' && (next === 'first' || next === 'after')) next = close()
    else if (found === ',' && next === 'after') next = inside === '{' ? 'name' : 'value'
    else if (found === ':' && next === 'colon') next = 'value'
    else if (found.startsWith('"') && (next === 'name' || next === 'first name')) next = 'colon'
    else if (takesValue && !/^[{}[\],:]/.test(found)) next = open.length === 0 ? 'end' : 'after'
    else return fault()
    at += found.length
  }
}

/** `is not valid JSON: see line 3, column 7`, for a text that `JSON.parse` refused. */
export function notJson(text: string): string {
  const { line, column } = jsonFault(text) ?? { line: 1, column: 1 }
  return `is not valid JSON: see line ${line}, column ${column}`
}
