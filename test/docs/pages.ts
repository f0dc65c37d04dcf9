/** A link of a Markdown page; `target` as written. */
export interface Link {
  readonly text: string
  readonly target: string
}

/** Links of a page, those in code left out. */
export function linksOf(page: string): readonly Link[] {
  const prose = page.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, text, target]) => ({
    text: text as string,
    target: target as string,
  }))
}

/** Anchors of a page, as the usual renderers make them from headings. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const headings = page.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map(([, heading]) =>
      (heading as string)
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Everything a page sets as code: lines of blocks and inline code. Variables set before a command are taken off. */
export function codeOf(page: string): readonly string[] {
  const blocks = [...page.matchAll(/```\w*\n([\s\S]*?)```/g)].flatMap(([, text]) => (text as string).split('\n'))
  const inline = [...page.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, text]) => text as string)
  return [...blocks, ...inline]
    .flatMap((line) => line.split('&&'))
    .map((line) => line.trim().replace(/^(?:[A-Z_]+=\S* )+/, ''))
}
