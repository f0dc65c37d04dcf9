/** One file that must not compile, or one that must: its name and text. */
export interface TypedFile {
  readonly path: string
  readonly text: string
}

/**
 * Compares what the compiler printed with what each file of `refused` expects in its comments `// refused: sentence`, and
 * wants silence about every other file. Answers with what is wrong, one sentence each.
 */
export function judge(files: readonly TypedFile[], printed: string): readonly string[] {
  const said = diagnostics(printed)
  const wrong = files.flatMap(({ path, text }) => {
    const expected = [...text.matchAll(/^\/\/ refused: (.+)$/gm)].map(([, sentence]) => sentence as string)
    const own = said.get(path) ?? []
    if (path.includes('/refused/') && expected.length === 0) return [`${path} does not say how it is refused`]
    if (own.length < expected.length) return [`${path} compiles, but must not: ${expected.join('; ')}`]
    if (own.length > expected.length) return [`${path} has ${own.length} errors, not ${expected.length}: ${own[0]}`]
    return expected
      .filter((sentence) => !own.some((error) => error.includes(sentence)))
      .map((sentence) => `${path} is refused, but not with “${sentence}”: ${own[0]}`)
  })
  const known = new Set(files.map(({ path }) => path))
  const elsewhere = [...said].filter(([path]) => !known.has(path)).map(([path, [error]]) => `${path}: ${error}`)
  return [...wrong, ...elsewhere]
}

/** Errors by file; the lines that explain an error belong to it. */
function diagnostics(printed: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  let latest: string[] = []
  for (const line of printed.split('\n').filter((one) => one.trim() !== '')) {
    const start = /^(.+?)\(\d+,\d+\): error (.+)$/.exec(line)
    if (!start && /^\s/.test(line) && latest.length > 0) {
      latest.push(`${latest.pop()}\n${line}`)
      continue
    }
    const path = start?.[1] ?? 'the compiler'
    latest = found.get(path) ?? []
    latest.push(start?.[2] ?? line)
    found.set(path, latest)
  }
  return found
}
