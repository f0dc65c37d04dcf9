import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ProgressOptions, showProgress } from '../../../pipelines/cli/progress.ts'

function started(options: ProgressOptions, rewrite: boolean) {
  const written: string[] = []
  const clock = { ms: 0 }
  const progress = showProgress(options, {
    write: (text) => written.push(text),
    rewrite,
    width: () => 80,
    now: () => clock.ms,
  })
  const at = (ms: number, done: number) => {
    clock.ms = ms
    progress.at(done)
  }
  return { written, at, end: progress.end }
}

test('rewrites one line on a terminal, at most ten times a second', () => {
  const { written, at } = started({ label: 'reading frames', unit: 'frames', total: 1_000 }, true)
  for (let ms = 0; ms < 1_000; ms += 10) at(ms, ms / 2)
  assert.equal(written.length, 10)
  assert.ok(written.every((text) => text.startsWith('\r\u001b[K') && !text.includes('\n')))
  assert.match(written.at(-1) as string, /reading frames: 450 of 1,000 frames, 45 %, 500\/s, 1\.1 s left/)
})

test('writes plain lines without a terminal, every five seconds', () => {
  const { written, at, end } = started({ label: 'reading', unit: 'frames', total: 60_000 }, false)
  for (let ms = 0; ms <= 21_000; ms += 100) at(ms, ms)
  end()
  assert.equal(written.length, 5)
  assert.ok(written.every((text) => text.endsWith('\n') && !text.includes('\r')))
  assert.match(written[3] as string, /20,000 of 60,000 frames, 33 %, 1,000\/s, 40 s left/)
  assert.match(written[4] as string, /reading: 21,000 frames in 21 s, 1,000\/s/)
})

test('the rate follows a change of speed', () => {
  const { written, at } = started({ label: 'x' }, true)
  for (let ms = 0; ms <= 10_000; ms += 100) at(ms, ms)
  for (let ms = 10_100; ms <= 20_000; ms += 100) at(ms, 10_000 + (ms - 10_000) / 10)
  assert.match(written.at(-1) as string, /, 100\/s$/)
})

test('ends once', () => {
  const { written, at, end } = started({ label: 'x' }, false)
  end()
  end()
  at(99_000, 5)
  assert.equal(written.length, 1)
})
