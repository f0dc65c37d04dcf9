import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { faultOfCommand } from './commands.ts'
import { anchorsOf, codeOf, linksOf } from './pages.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root }), 'diffprivlib-ts/README.md']

const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
const testFiles = globSync('{test,diffprivlib-ts}/**/*.{test,property,stat}.ts', { cwd: root })
const benches = globSync('bench/**/*.bench.ts', { cwd: root })
/** What is wrong with a command that a page names; `undefined` where it exists, or is no command of ours. */
function faultOf(line: string): string | undefined {
  const words = line.split(/\s+/)
  const rest = (from: number) => words.slice(from).filter((word) => word !== '--')
  if (words[0] === 'npm' && words[1] === 'start') return faultOfCommand(['demo', ...rest(2)])
  if (words[0] === 'npm' && words[1] === 'test') return faultOfTest(rest(2))
  if (words[0] === 'npm' && words[1] === 'run') {
    const name = words[2] ?? ''
    if (!(name in scripts)) return `there is no npm script ${name}`
    if (name === 'meterveil') return faultOfCommand(rest(3))
    if (name === 'bench' && words.length > 3) {
      return benches.some((file) => file.endsWith(`/${rest(3)[0]}.bench.ts`))
        ? undefined
        : `there is no bench ${rest(3)[0]}`
    }
    return undefined
  }
  if (words[0] === 'npx' && words[1] === 'meterveil') return faultOfCommand(rest(2))
  return words[0] === 'meterveil' && words.length > 1 ? faultOfCommand(rest(1)) : undefined
}

function faultOfTest(words: readonly string[]): string | undefined {
  const unknown = words.filter((word) => !word.startsWith('--') && !testFiles.some((file) => file.includes(word)))
  return unknown.length === 0 ? undefined : `no test file has ${unknown.join(' or ')} in its path`
}

for (const path of pages) {
  test(`${path} names only commands that exist`, () => {
    const faults = codeOf(read(path)).flatMap((line) => {
      const fault = faultOf(line)
      return fault ? [`${line}: ${fault}`] : []
    })
    assert.deepEqual(faults, [])
  })

  test(`${path} links only to what is there`, () => {
    const faults = linksOf(read(path)).flatMap(({ target }) => {
      if (/^[a-z]+:/.test(target)) return []
      const [file = '', anchor] = target.split('#')
      const to = file === '' ? join(root, path) : resolve(root, dirname(path), file)
      if (!existsSync(to)) return [`${target} is not there`]
      if (anchor === undefined || statSync(to).isDirectory()) return []
      return anchorsOf(readFileSync(to, 'utf8')).has(anchor) ? [] : [`${target} has no such heading`]
    })
    assert.deepEqual(faults, [])
  })
}

test('the README opens with the two commands of a newcomer', () => {
  assert.match(read('README.md'), /^# Meterveil\n\n```\nnpm ci && npm start\nnpm ci && npm test\n```\n/)
})

test('every page of docs can be reached from the README', () => {
  const reached = new Set(['README.md'])
  const queue = ['README.md']
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    for (const { target } of linksOf(read(path))) {
      if (/^[a-z]+:/.test(target)) continue
      const to = resolve(root, dirname(path), target.split('#')[0] as string).slice(root.length + 1)
      const found =
        existsSync(join(root, to)) && statSync(join(root, to)).isDirectory()
          ? globSync(`${to}/*.md`, { cwd: root })
          : [to]
      for (const one of found) {
        if (reached.has(one) || !one.endsWith('.md')) continue
        reached.add(one)
        queue.push(one)
      }
    }
  }
  assert.deepEqual(
    globSync('docs/**/*.md', { cwd: root }).filter((path) => !reached.has(path)),
    [],
  )
})

describe('finds what is planted', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['npm run fly', /no npm script fly/],
    ['npm start -- --house 3', /demo has no option --house/],
    ['npm test -- nosuchtest', /no test file has nosuchtest/],
    ['npm run bench -- nosuchbench', /no bench nosuchbench/],
    ['npx meterveil explian late', /no command explian/],
    ['npx meterveil decode --show FILE', /decode has no option --show/],
    ['meterveil run --port 1', /run has no option --port/],
    ['npx meterveil topics show', /topics has no command show/],
    ['npx meterveil topics plan --acl', /topics has no option --acl/],
  ]
  for (const [line, fault] of wrong) test(line, () => assert.match(faultOf(line) ?? '', fault))

  test('commands in blocks, in text, and behind variables', () => {
    assert.deepEqual(codeOf('a `npm run x` b\n```\nA=1 B=2 npx meterveil y && npm test\n```\n'), [
      'npx meterveil y',
      'npm test',
      '',
      'npm run x',
    ])
  })

  test('links, but not those in code', () => {
    assert.deepEqual(linksOf('[a](b.md) `[c](d.md)`'), [{ text: 'a', target: 'b.md' }])
    assert.deepEqual([...anchorsOf('## What this does not protect\n')], ['what-this-does-not-protect'])
  })
})
