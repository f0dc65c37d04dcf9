import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import type { OpenedLetters } from '../../../pipelines/cli/rejected-open.ts'
import { replayRejected } from '../../../pipelines/cli/rejected-replay.ts'
import { showRejected } from '../../../pipelines/cli/rejected-show.ts'
import { openTerminal } from '../../../pipelines/cli/terminal.ts'
import { deadLetter, sealer } from '../../../pipelines/runtime/dead-letter.ts'
import { type MeterFrame, meterFrameCodec } from '../../../schemas/meter-frame.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { bin, meterveil, start } from './command.ts'
import { intervalsIn } from './data-folder.ts'
import { expectedIntervals, writeFleet } from './fleet-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-rejected-'))
after(() => rmSync(folder, { recursive: true }))

describe('frames of a meter that was not in the register yet', () => {
  const fleet = writeFleet(folder)
  const { env, input, lines } = fleet
  const { entries } = fleet.fleet
  const { connection } = entries[0]!
  const registerFile = env.METERVEIL_REGISTER_FILE
  const nothing = join(folder, 'nothing.ndjson')
  writeFileSync(nothing, '')
  const run = async (from: string) => {
    const running = start(['run', '--input', from], env, bin)
    await running.shows('all processed.')
    running.process.kill('SIGINT')
    const finished = await running.ended
    assert.equal(finished.code, 130, finished.stderr)
    return finished.stdout
  }
  const replay = (...more: string[]) => meterveil(['rejected', 'replay', '--reason', 'meter_unknown', ...more], env)
  const identifying = [connection, ...fleet.frames.map(({ hex }) => hex)]
  const shows = (text: string) => identifying.some((one) => text.includes(one))
  const ofLate = fleet.frames.filter((frame) => frame.connection === connection)
  const late = ofLate.length
  /** The meter has sent some of its frames twice. */
  const distinct = new Set(ofLate.map(({ hex }) => hex)).size

  test('are refused, and show withholds whose they are unless it is asked', async () => {
    writeFileSync(registerFile, lines(entries.filter((entry) => entry.connection !== connection)))
    assert.match(await run(input), new RegExp(`Refused: ${late} meter_unknown`))
    const { stdout, stderr, code } = meterveil(['rejected', 'show'], env)
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`meter_unknown +rejected +${late}\n`))
    assert.match(stdout, /Z {2}meter_unknown at locate, meter\.frames\[\d\] offset \d+, \d+ bytes\n/)
    assert.ok(!shows(stdout))
    assert.ok(!shows(meterveil(['rejected', 'show', '--json'], env).stdout))
    const told = meterveil(['rejected', 'show', '--json', '--show-values', '--last', '1'], env).stdout
    const letter = JSON.parse(told.trim().split('\n').at(-1) ?? '')
    assert.equal(letter.connection, connection)
    assert.ok(fleet.frames.some(({ hex }) => hex === letter.hex))
  })

  test('are not sent by a dry run', () => {
    assert.match(replay('--dry-run').stdout, new RegExp(`^Would be sent to meter.frames: ${distinct} frames`))
    assert.match(meterveil(['rejected', 'show'], env).stdout, new RegExp(`meter_unknown +rejected +${late}\n`))
  })

  test('replayed before the cause is removed they are refused again, and a later replay sends each once', async () => {
    assert.match(replay().stdout, new RegExp(`^Sent to meter.frames: ${distinct} frames`))
    assert.match(await run(nothing), new RegExp(`Refused: ${distinct} meter_unknown`))
    assert.match(
      replay('--dry-run').stdout,
      new RegExp(
        `^Would be sent to meter.frames: ${distinct} frames.*\n${late} more letters hold one of the same frames`,
      ),
    )
  })

  test('replayed once the register holds the meter, every interval is there once, however often they are replayed', async () => {
    writeFileSync(registerFile, lines(entries))
    for (let time = 0; time < 2; time++) {
      const { stdout, stderr, code } = replay()
      assert.equal(code, 0, stderr)
      assert.match(stdout, new RegExp(`^Sent to meter.frames: ${distinct} frames`))
      await run(nothing)
      assert.deepEqual(await intervalsIn(env.METERVEIL_DATA_FOLDER), expectedIntervals(fleet))
    }
  })

  const refused: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
    ['replay without a reason', ['replay'], {}, /required option '--reason <reason>'/],
    ['a reason that does not exist', ['replay', '--reason', 'bored'], {}, /reason of docs\/reasons\.md/],
    ['a reason that drops', ['replay', '--reason', 'duplicate'], {}, /whose outcome is reject/],
    ['no key ring', ['show', '--show-values'], { METERVEIL_KEYRING_FOLDER: '' }, /METERVEIL_KEYRING_FOLDER/],
    ['no log', ['show'], { METERVEIL_DATA_FOLDER: join(folder, 'nowhere') }, /holds no log/],
  ]
  for (const [what, args, other, says] of refused) {
    test(`${what} is refused with a sentence`, () => {
      const { code, stderr } = meterveil(['rejected', ...args], { ...env, ...other })
      assert.match(stderr, says)
      assert.equal(code, 2)
    })
  }
})

describe('letters that cannot be replayed', () => {
  const keyring = memoryKeyring({ master: new Uint8Array(32).fill(7) })
  const frame: MeterFrame = {
    connection: 'connection-1',
    listener: 'file',
    zone: 'main',
    transport: 'apdu',
    forwarded: 1,
    bytes: Uint8Array.of(1, 2, 3),
  }
  const letterOf = (raw: Uint8Array, seal = sealer(keyring)): RejectedFrame => {
    const origin = { topic: 'meter.frames', partition: 1, offset: 7n, receivedAt: 0 }
    return deadLetter(
      { from: { value: null, origin }, reason: 'meter_unknown', stage: 'locate', byteOffset: undefined },
      raw,
      seal,
    )
  }
  const opened = (letters: readonly RejectedFrame[]) => {
    const sent: { readonly partition: number; readonly value: Uint8Array }[] = []
    const work: OpenedLetters = {
      letters: async function* () {
        yield* letters
      },
      frameOf: (value) => (value.length === 5 ? undefined : meterFrameCodec.decode(value)),
      encodeFrame: meterFrameCodec.encode,
      send: async (values) => void sent.push(...values),
      keyring: () => keyring,
      close: async () => {},
    }
    const printed: string[] = []
    const stream = { write: (text: string) => printed.push(text) }
    return { work, sent, printed, terminal: openTerminal({ stdout: stream, stderr: stream, env: {} }) }
  }
  const raw = meterFrameCodec.encode(frame)

  test('a frame that was passed on before may be passed on again; bytes that are no frame go as they came', async () => {
    const { work, sent, terminal } = opened([letterOf(raw), letterOf(Uint8Array.of(1, 2, 3, 4, 5))])
    await replayRejected(work, terminal, { reason: 'meter_unknown' })
    assert.deepEqual(
      sent.map(({ partition, value }) => [partition, Buffer.from(value)]),
      [
        [1, Buffer.from(meterFrameCodec.encode({ ...frame, forwarded: 0 }))],
        [1, Buffer.from([1, 2, 3, 4, 5])],
      ],
    )
  })

  test('one that holds only a beginning says so, and is not sent', async () => {
    const { work, sent, printed, terminal } = opened([letterOf(new Uint8Array(100_000)), letterOf(raw)])
    await replayRejected(work, terminal, { reason: 'meter_unknown' })
    assert.equal(sent.length, 1)
    assert.match(printed.join(''), /1 letters hold only the beginning of what was refused.* and cannot be replayed/)
    await showRejected(work, terminal, { last: 5 })
    assert.match(printed.join(''), /100,000 bytes/)
  })

  test('a batch that was skipped whole says so, shows its offsets, and is not sent', async () => {
    const batch: RejectedFrame = { ...letterOf(raw), reason: 'batch_oversize', lastOffset: 19 }
    const { work, sent, printed, terminal } = opened([batch])
    await replayRejected(work, terminal, { reason: 'batch_oversize' })
    assert.deepEqual(sent, [])
    assert.match(printed.join(''), /1 letters hold .* or a whole batch, and cannot be replayed/)
    await showRejected(work, terminal, { last: 5 })
    assert.match(printed.join(''), /meter\.frames\[1\] offsets 7 to 19, /)
  })

  test('one sealed with another key says so, after the others were sent', async () => {
    const other = (bytes: Uint8Array) => {
      const sealed = sealer(keyring)(bytes)
      sealed[sealed.length - 1]! ^= 1
      return sealed
    }
    const { work, sent, printed, terminal } = opened([letterOf(raw, other), letterOf(raw)])
    await assert.rejects(replayRejected(work, terminal, { reason: 'meter_unknown' }), {
      name: 'CliError',
      message: '1 letters cannot be opened with this key ring.',
    })
    assert.equal(sent.length, 1)
    await showRejected(work, terminal, { last: 5, showValues: true })
    assert.match(printed.join(''), /sealed: with another key/)
  })
})
