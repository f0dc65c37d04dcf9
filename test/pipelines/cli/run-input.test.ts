import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { frameOfLine, linesOf, maxLineBytes } from '../../../pipelines/cli/input-lines.ts'
import { bin, type Started, start } from './command.ts'
import { intervalsIn } from './data-folder.ts'
import { expectedIntervals, writeFleet } from './fleet-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-input-'))
after(() => rmSync(folder, { recursive: true }))
const fleet = writeFleet(folder)
const { env, input, frames } = fleet

async function interrupt(running: Started) {
  running.process.kill('SIGINT')
  const finished = await running.ended
  assert.equal(finished.code, 130, finished.stderr)
  return finished
}

describe('frames from a file', () => {
  test('interrupted, and sent again with the same input, every interval is in household.readings once', async () => {
    const first = start(['run', 'readings', '--input', input], env, bin)
    await first.shows('Running readings')
    await interrupt(first)
    const second = start(['run', '--input', input], env, bin)
    await second.shows(`Input read: ${frames.length} frames from ${frames.length} lines, all processed.`)
    await interrupt(second)
    const third = start(['run', '--input', input, '--json'], env, bin)
    await third.shows('"kind":"input"')
    const { stdout } = await interrupt(third)
    const told = stdout.split('\n').find((line) => line.includes('"kind":"input"')) ?? ''
    const facts = { kind: 'input', complete: true, lines: frames.length, frames: frames.length, malformed: 0 }
    assert.deepEqual(JSON.parse(told), { ...facts, malformedLines: [], malformedWhy: [] })
    const found = await intervalsIn(env.METERVEIL_DATA_FOLDER)
    assert.ok(found.length > 48)
    assert.deepEqual(found, expectedIntervals(fleet))
  })

  test('malformed lines are told by their numbers, never by their content, and the others are taken', async () => {
    const mixed = join(folder, 'mixed.ndjson')
    const good = JSON.stringify(frames[0])
    const bad = ['secret-4711', '{"connection":"secret-4711"}', `{"hex":"${'00'.repeat(maxLineBytes)}"}`, '[]', '']
    writeFileSync(mixed, [...bad, good, ...Array.from({ length: 12 }, () => 'secret-4711'), good].join('\n'))
    const { METERVEIL_DATA_FOLDER: _, ...inMemory } = env
    const running = start(['run', 'readings', '--input', mixed], inMemory, bin)
    await running.shows('Input read: 2 frames from 19 lines, all processed.')
    const { stdout, stderr } = await interrupt(running)
    assert.match(
      stderr,
      /^16 lines were no frames and were left out: line 1 \(it is no JSON object\); line 2 \(transport and hex are missing\); line 3 \(it is longer than 262,144 bytes\); lines 4, 7, 8, 9, 10, 11, 12 \(it is no JSON object\) and 6 more\./m,
    )
    assert.doesNotMatch(stdout + stderr, /4711/)
  })

  test('standard input is read as it comes, and Ctrl-C ends the wait for more', async () => {
    const { METERVEIL_DATA_FOLDER: _, ...inMemory } = env
    const running = start(['run', 'readings', '--input', '-'], inMemory, bin)
    await running.shows('Running readings')
    running.process.stdin.write(`${JSON.stringify(frames[0])}\n`)
    const { stdout } = await interrupt(running)
    assert.match(stdout, /^Interrupted after (?:1 frame|0 frames) of the input; run again with the same input/m)
  })

  const refused: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      'a file that is not there',
      ['--input', 'nowhere.ndjson'],
      2,
      /nowhere\.ndjson does not exist\.\nName a file of frames, or - for standard input\.\n$/,
    ],
    ['a folder', ['--input', folder], 2, /is a folder\.\nName a file of frames, or - for standard input\.\n$/],
    [
      'pipelines without readings',
      ['load', '--input', input],
      2,
      /--input sends frames, which only the pipeline readings/,
    ],
  ]
  for (const [what, args, code, says] of refused) {
    test(`${what} is refused with a sentence`, async () => {
      const finished = await start(['run', ...args], env, bin).ended
      assert.match(finished.stderr, says)
      assert.equal(finished.code, code)
    })
  }

  test('a register that needs more partitions than there are is refused with the number', async () => {
    const { stderr, code } = await start(['run'], { ...env, METERVEIL_PARTITIONS: '1' }, bin).ended
    assert.match(
      stderr,
      /^Error: The register places points on 2 partitions, but there are 1\.\nSet METERVEIL_PARTITIONS to 2/,
    )
    assert.equal(code, 2)
  })
})

describe('lines of a stream', () => {
  const linesIn = async (chunks: readonly (string | Buffer)[]) => {
    const lines: [number, string | undefined][] = []
    for await (const { first, lines: some } of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) {
      some.forEach((line, at) => {
        lines.push([first + at, line])
      })
    }
    return lines
  }

  test('however the stream is cut, the lines and their numbers are the same', async () => {
    const text = Buffer.from('one\n\ntwö\nlast without end')
    const whole = [
      [1, 'one'],
      [2, ''],
      [3, 'twö'],
      [4, 'last without end'],
    ]
    for (let size = 1; size <= text.length; size++) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.subarray(at * size, (at + 1) * size),
      )
      assert.deepEqual(await linesIn(chunks), whole, `in pieces of ${size}`)
    }
  })

  test('a line beyond the limit is no line, and is not kept', async () => {
    const piece = 'x'.repeat(maxLineBytes / 2)
    assert.deepEqual(await linesIn([piece, piece, 'x\nnext\n']), [
      [1, undefined],
      [2, 'next'],
    ])
    assert.equal((await linesIn([piece, piece, '\n']))[0]?.[1]?.length, maxLineBytes)
  })
})

describe('one line', () => {
  const line = { connection: 'c', transport: 'wrapper', hex: '00Ff' }
  test('becomes a frame with the zone and listener it names, or the usual ones', () => {
    const frame = { connection: 'c', transport: 'wrapper', forwarded: 0, bytes: Buffer.from([0, 255]) }
    assert.deepEqual(frameOfLine(JSON.stringify(line), 'main'), { ...frame, listener: 'file', zone: 'main' })
    const named = JSON.stringify({ ...line, listener: 'l', zone: 'z' })
    assert.deepEqual(frameOfLine(named, 'main'), { ...frame, listener: 'l', zone: 'z' })
    assert.equal(frameOfLine('  \r', 'main'), 'empty')
  })

  const { hex: _hex, ...withoutHex } = line
  const broken: readonly (readonly [object, RegExp])[] = [
    [{ ...line, hex: '0' }, /^hex must be pairs of hex digits$/],
    [{ ...line, hex: '' }, /^hex must be/],
    [{ ...line, hex: 'zz' }, /^hex must be/],
    [withoutHex, /^hex is missing$/],
    [{ ...line, transport: 'tcp' }, /^transport must be one of wrapper, hdlc, /],
    [{ ...line, connection: '' }, /^connection must be a text$/],
    [{ ...line, connection: 1 }, /^connection must be a text$/],
    [{ ...line, listener: 1 }, /^listener must be a text$/],
    [{ ...line, zone: null }, /^zone must be a text$/],
    [{ ...line, extra: 1 }, /^it has a field that no frame has$/],
    [[line], /^it is no JSON object$/],
  ]
  for (const [one, problem] of broken) {
    test(`${JSON.stringify(one)} is no frame`, () => {
      const found = frameOfLine(JSON.stringify(one), 'main')
      assert.match(found !== 'empty' && 'problem' in found ? found.problem : 'it is a frame', problem)
    })
  }
})
