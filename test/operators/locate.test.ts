import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { registerView } from '../../connectors/register/index.ts'
import type { LocatedFrame } from '../../operators/contract/located-frame.ts'
import type { Envelope } from '../../operators/contract/operator.ts'
import { forwardMisplaced } from '../../operators/forward-misplaced.ts'
import { keepPlaced } from '../../operators/keep-placed.ts'
import { locate } from '../../operators/locate.ts'
import type { MeterFrame } from '../../schemas/meter-frame.ts'
import { emitted, entryOf, runBatch, summary } from './harness.ts'

const here = entryOf(1, { partition: 2, validFrom: 1_000, validTo: 9_000 })
const elsewhere = entryOf(2, { partition: 5 })
const register = registerView([here, elsewhere])

const frameOf = (
  connection: string,
  change: { readonly receivedAt?: number; readonly forwarded?: number; readonly size?: number } = {},
): Envelope<MeterFrame> => {
  const { receivedAt = 5_000, forwarded = 0, size = 2 } = change
  const bytes = new Uint8Array(size)
  return {
    value: { connection, listener: 'lan', zone: 'north', transport: 'wrapper', forwarded, bytes },
    origin: { topic: 'meter.frames', partition: 2, offset: 7n, receivedAt },
  }
}

describe('locate', () => {
  const cases = [
    { name: 'emits a frame of its own meter', frame: frameOf('connection-1'), expected: 'emit' },
    { name: 'emits a frame of another partition the first time', frame: frameOf('connection-2'), expected: 'emit' },
    {
      name: 'rejects it the second time',
      frame: frameOf('connection-2', { forwarded: 1 }),
      expected: 'meter_misplaced',
    },
    {
      name: 'keeps a frame that was passed on to it',
      frame: frameOf('connection-1', { forwarded: 1 }),
      expected: 'emit',
    },
    {
      name: 'rejects a frame of another partition that is too long to be passed on',
      frame: frameOf('connection-2', { size: 1_048_400 }),
      expected: 'frame_oversize',
    },
    {
      name: 'leaves it to the decoder how long a frame of its own meter may be',
      frame: frameOf('connection-1', { size: 1_048_400 }),
      expected: 'emit',
    },
    { name: 'rejects an unknown connection', frame: frameOf('connection-9'), expected: 'meter_unknown' },
    {
      name: 'rejects a meter not installed yet',
      frame: frameOf('connection-1', { receivedAt: 999 }),
      expected: 'meter_unknown',
    },
    {
      name: 'rejects a meter no longer installed',
      frame: frameOf('connection-1', { receivedAt: 9_000 }),
      expected: 'meter_unknown',
    },
  ]
  for (const { name, frame, expected } of cases) {
    test(name, () => assert.deepEqual(summary(runBatch(locate({ register }), [frame])), [expected]))
  }

  test('joins the register entry and tells whose partition it is', () => {
    const located = emitted<LocatedFrame>(
      runBatch(locate({ register }), [frameOf('connection-1'), frameOf('connection-2')]),
    )
    assert.deepEqual(
      located.map(({ entry, misplaced }) => [entry.point, misplaced]),
      [
        ['point-1', false],
        ['point-2', true],
      ],
    )
  })
})

describe('keepPlaced and forwardMisplaced', () => {
  const placed = {
    value: { entry: here, frame: frameOf('connection-1').value, misplaced: false },
    origin: frameOf('').origin,
  }
  const misplaced = {
    value: { entry: elsewhere, frame: frameOf('connection-2').value, misplaced: true },
    origin: frameOf('').origin,
  }

  test('share the frames of a stream between them: each is emitted by exactly one', () => {
    const batch = [placed, misplaced, misplaced, placed]
    const kept = runBatch(keepPlaced(), batch)
    const forwarded = runBatch(forwardMisplaced(), batch)
    const from = (outcomes: typeof kept) =>
      outcomes.filter(({ kind }) => kind === 'emit').map((outcome) => outcome.from)
    for (const record of new Set(batch)) {
      assert.equal(Number(from(kept).includes(record)) + Number(from(forwarded).includes(record)), 1)
    }
    assert.equal(from(kept).length + from(forwarded).length, batch.length)
  })

  test('drops what the other branch passes on as forwarded', () => {
    assert.deepEqual(summary(runBatch(keepPlaced(), [placed, misplaced])), ['emit', 'forwarded'])
  })

  test('sends a frame to the partition that owns its point, marked as passed on', () => {
    const [sent] = emitted(runBatch(forwardMisplaced(), [placed, misplaced]))
    assert.deepEqual(sent, { routedTo: 5, value: { ...misplaced.value.frame, forwarded: 1 } })
  })
})
