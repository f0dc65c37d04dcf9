import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTerminal, type TerminalOptions } from '../../../pipelines/cli/terminal.ts'

function opened(options: Omit<TerminalOptions, 'stdout' | 'stderr'> & { readonly isTTY: boolean }) {
  const out: string[] = []
  const err: string[] = []
  const stream = (into: string[]) => ({
    write: (text: string) => into.push(text),
    isTTY: options.isTTY,
    columns: options.isTTY ? 132 : undefined,
  })
  const terminal = openTerminal({ env: {}, now: () => 0, ...options, stdout: stream(out), stderr: stream(err) })
  return { terminal, out, err }
}

const escapeCharacter = '\u001b'

const colourCases = [
  { says: 'colours on a terminal', isTTY: true, env: {}, coloured: true },
  { says: 'no colours with NO_COLOR', isTTY: true, env: { NO_COLOR: '1' }, coloured: false },
  { says: 'no colours on a dumb terminal', isTTY: true, env: { TERM: 'dumb' }, coloured: false },
  { says: 'no colours in a file', isTTY: false, env: {}, coloured: false },
]
for (const { says, isTTY, env, coloured } of colourCases) {
  test(says, () => {
    const { terminal, out } = opened({ isTTY, env })
    terminal.title('Frames')
    terminal.table(['a', 'b'], [['x', 1]])
    terminal.plot({ series: [{ name: 'x', values: [1, 2, 3] }] })
    terminal.line(terminal.paint.red('x'))
    assert.equal(out.join('').includes(escapeCharacter), coloured)
  })
}

test('in JSON mode standard output holds JSON lines and nothing else', () => {
  const { terminal, out, err } = opened({ isTTY: false, json: true })
  terminal.title('Frames')
  terminal.line('text')
  terminal.table(['a'], [['x']])
  terminal.plot({ series: [{ name: 'x', values: [1, 2] }] })
  terminal.note('a remark')
  terminal.record({ kind: 'sum', frames: 288_000n, reasons: new Map([['late', 3]]), hash: Uint8Array.of(1, 255) })
  assert.deepEqual(
    out.map((line) => JSON.parse(line)),
    [{ kind: 'sum', frames: '288000', reasons: { late: 3 }, hash: '01ff' }],
  )
  assert.deepEqual(err, ['a remark\n'])
})

test('outside JSON mode records print nothing', () => {
  const { terminal, out } = opened({ isTTY: false })
  terminal.record({ kind: 'sum' })
  assert.deepEqual(out, [])
})

test('is 80 columns wide where there is no terminal', () => {
  assert.equal(opened({ isTTY: false }).terminal.width, 80)
  assert.equal(opened({ isTTY: true }).terminal.width, 132)
})

test('progress goes to standard error', () => {
  const { terminal, out, err } = opened({ isTTY: false, json: true })
  terminal.progress({ label: 'reading' }).end()
  assert.deepEqual(out, [])
  assert.match(err.join(''), /reading: 0 in 0\.0 s/)
})
