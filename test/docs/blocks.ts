/** Text between two marks that is made from data: `<!-- generated: NAME -->` … `<!-- end -->`. */
const pattern = /<!-- generated: ([\w-]+) -->\n([\s\S]*?)<!-- end -->/g

/** Names and contents of the generated blocks of a page. */
export function blocksOf(page: string): ReadonlyMap<string, string> {
  return new Map([...page.matchAll(pattern)].map(([, name, content]) => [name as string, content as string]))
}

/** The page with every block written anew. */
export function withBlocks(page: string, render: (name: string) => string): string {
  return page.replaceAll(pattern, (_, name: string) => `<!-- generated: ${name} -->\n${render(name)}<!-- end -->`)
}

/** A Markdown table. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `\n${[line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')}\n\n`
}

export const code = (text: string): string => (text === '' ? '' : `\`${text}\``)
