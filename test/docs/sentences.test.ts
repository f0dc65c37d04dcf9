// What an error tells its reader to do must be there to be done: commands, pages, and headings of pages.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { tokens } from '../boundaries/lexer.ts'
import { faultOfCommand } from './commands.ts'
import { anchorsOf } from './pages.ts'

const root = resolve(import.meta.dirname, '../..')
const files = globSync('{pipelines,connectors,operators,schemas,deploy}/**/*.ts', { cwd: root })

/** Everything that the code may print, file by file; what is filled in at run time reads as an ellipsis. */
const sentencesOf = (source: string): readonly string[] => {
  const parts = tokens(source).filter(({ kind }) => kind === 'string' || kind === 'template')
  return parts.map(({ text }) => text.replace(/^['"`}]|['"`]$/g, '').replace(/\$\{$/, '…'))
}

/** Words that end a command's words in a sentence. */
const notOurs = /^(?:[^a-z-]|(?:and|or|to|with|which|where|that|tells?|lists?|says?|run|ends?)$)/

function faultsOf(sentence: string): readonly string[] {
  const commands = [...sentence.matchAll(/(?:run|Run|with|npx|:) meterveil ((?:-{0,2}[a-z][a-z-]*[ ,;.)]?\s?)+)/g)].map(
    ([, text]) => {
      const words = (text as string)
        .split(/[,;.)]/)[0]!
        .trim()
        .split(/\s+/)
      const end = words.findIndex((word, at) => at > 0 && notOurs.test(word))
      return end < 0 ? words : words.slice(0, end)
    },
  )
  const pages = [...sentence.matchAll(/docs\/[\w/-]+\.md/g)].map(([path]) => path)
  const headings = [...sentence.matchAll(/(docs\/[\w/-]+\.md) lists under “([^”]+)”/g)]
  return [
    ...commands.flatMap((words) => faultOfCommand(words) ?? []),
    ...pages.filter((path) => !existsSync(join(root, path))).map((path) => `there is no ${path}`),
    ...headings.flatMap(([, path, heading]) => {
      const [anchor = ''] = anchorsOf(`# ${heading}`)
      return anchorsOf(readFileSync(join(root, path as string), 'utf8')).has(anchor) ? [] : [`no heading ${heading}`]
    }),
    ...(/\b(?:operations guide|runbook|the documentation of|the manual)\b/.test(sentence) ? ['names no page'] : []),
  ]
}

test('every command and every page that a sentence names exists', () => {
  const faults = files.flatMap((path) =>
    sentencesOf(readFileSync(join(root, path), 'utf8')).flatMap((sentence) =>
      faultsOf(sentence).map((fault) => `${path}: ${fault}: ${sentence}`),
    ),
  )
  assert.deepEqual(faults, [])
})

describe('finds what is planted', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["const a = 'Then run meterveil input skip.'", /no command input/],
    ["const a = 'repair it with meterveil ledger repair'", /ledger has no command repair/],
    ['const a = `x: run meterveil topics apply --force, which`', /topics has no option --force/],
    ["const a = 'Correct it; docs/operations.md lists the roles.'", /there is no docs\/operations\.md/],
    ["const a = 'see what docs/operator.md lists under “Nothing”'", /no heading Nothing/],
    ["const a = 'move the position on with the operations guide'", /names no page/],
  ]
  for (const [source, fault] of wrong) {
    test(source, () => assert.match(sentencesOf(source).flatMap(faultsOf).join(), fault))
  }

  test('and lets pass what is right', () => {
    for (const sentence of [
      'run meterveil topics apply, which creates what is missing',
      'run meterveil topics apply --acls, or name another user',
      'run the version of meterveil that wrote it',
    ]) {
      assert.deepEqual(faultsOf(sentence), [])
    }
  })
})
