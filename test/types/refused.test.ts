import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { judge, type TypedFile } from './judge.ts'

const root = resolve(import.meta.dirname, '../..')

const files: readonly TypedFile[] = globSync('test/types/{refused,accepted}/*.ts', { cwd: root }).map((path) => ({
  path: path.replaceAll('\\', '/'),
  text: readFileSync(join(root, path), 'utf8'),
}))

test('the compiler refuses every way to lift a label, in our words, and nothing else', () => {
  assert.ok(files.filter(({ path }) => path.includes('/refused/')).length >= 25)
  assert.ok(files.some(({ path }) => path.includes('/accepted/')))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [compiler, '-p', 'test/types/tsconfig.json', '--pretty', 'false'],
    { cwd: root, encoding: 'utf8' },
  )
  assert.equal(stderr, '')
  assert.deepEqual(judge(files, stdout), [])
})

const refused = (text: string): TypedFile => ({ path: 'test/types/refused/a.ts', text })
const error = (path: string, text: string) => `${path}(4,1): error TS1: ${text}\n`

const planted: readonly { says: string; file: TypedFile; printed: string; wrong: RegExp }[] = [
  { says: 'a file that compiles', file: refused('// refused: no'), printed: '', wrong: /compiles, but must not/ },
  {
    says: 'another sentence',
    file: refused('// refused: no'),
    printed: error('test/types/refused/a.ts', 'missing semicolon'),
    wrong: /is refused, but not with “no”: TS1: missing semicolon/,
  },
  {
    says: 'a second error that nobody expected',
    file: refused('// refused: no'),
    printed: error('test/types/refused/a.ts', 'no').repeat(2),
    wrong: /has 2 errors, not 1/,
  },
  { says: 'a file without a sentence', file: refused(''), printed: '', wrong: /does not say/ },
  {
    says: 'an accepted file that does not compile',
    file: { path: 'test/types/accepted/a.ts', text: '' },
    printed: error('test/types/accepted/a.ts', 'no'),
    wrong: /has 1 errors, not 0/,
  },
  {
    says: 'an error in another file',
    file: { path: 'test/types/accepted/a.ts', text: '' },
    printed: error('schemas/label.ts', 'no'),
    wrong: /schemas\/label.ts: TS1: no/,
  },
  {
    says: 'a compiler that did not start',
    file: { path: 'test/types/accepted/a.ts', text: '' },
    printed: 'error TS5058: the path does not exist\n',
    wrong: /TS5058/,
  },
]

for (const { says, file, printed, wrong } of planted) {
  test(`the judge finds ${says}`, () => {
    assert.match(judge([file], printed).join('\n'), wrong)
  })
}

test('the judge reads the lines under an error as part of it', () => {
  const printed = `${error('test/types/refused/a.ts', 'Argument')}  Property '__privacyError' is missing\n    deeper\n`
  assert.deepEqual(judge([refused("// refused: Property '__privacyError'")], printed), [])
})
