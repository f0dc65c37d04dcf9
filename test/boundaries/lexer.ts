/** One token of a TypeScript file; comments and white space are gone, template text is kept apart from its code. */
export interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'number' | 'regex' | 'mark'
  readonly text: string
  /** 1-based. */
  readonly line: number
}

const word = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy
const number = /\d[\w.]*/y
const space = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const quoted = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
/** After these words a slash opens a regular expression; after every other word it divides. */
const beforeRegex = new Set(['return', 'typeof', 'case', 'in', 'of', 'yield', 'await', 'else', 'do', 'void', 'delete'])

/** Splits the text of a file. Enough of the grammar to tell code from comments, strings and regular expressions. */
export function tokens(source: string): readonly Token[] {
  const found: Token[] = []
  let at = source.startsWith('#!') ? source.indexOf('\n') : 0
  let line = 1
  /** How many braces are open inside each `${` that is open. */
  const holes: number[] = []

  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  const take = (kind: Token['kind'], text: string) => {
    found.push({ kind, text, line })
    skip(text)
  }
  const skip = (text: string) => {
    at += text.length
    line += text.split('\n').length - 1
  }
  const templateText = () => {
    const end = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y
    const text = match(end) ?? source.slice(at)
    take('template', text)
    if (text.endsWith('${')) holes.push(0)
  }

  while (at < source.length) {
    const blank = match(space)
    if (blank) {
      skip(blank)
      continue
    }
    const name = match(word)
    if (name) {
      take('word', name)
      continue
    }
    const digits = match(number)
    if (digits) {
      take('number', digits)
      continue
    }
    const string = match(quoted)
    if (string) {
      take('string', string.slice(1, -1))
      skip('  ')
      continue
    }
    const expression = source[at] === '/' && opensRegex(found.at(-1)) ? match(regex) : undefined
    if (expression) {
      take('regex', expression)
      continue
    }
    const mark = source[at] as string
    const open = holes.length - 1
    if (mark === '}' && holes[open] === 0) {
      holes.pop()
      skip(mark)
      templateText()
      continue
    }
    if (mark === '{' && open >= 0) holes[open] = (holes[open] ?? 0) + 1
    if (mark === '}' && open >= 0) holes[open] = (holes[open] ?? 0) - 1
    if (mark === '`') {
      skip(mark)
      templateText()
      continue
    }
    take('mark', mark)
  }
  return found
}

function opensRegex(before: Token | undefined): boolean {
  if (before === undefined) return true
  if (before.kind === 'word') return beforeRegex.has(before.text)
  return before.kind === 'mark' && before.text !== ')' && before.text !== ']' && before.text !== '}'
}
