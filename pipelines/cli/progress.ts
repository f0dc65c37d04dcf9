import { count, duration, percent } from './text.ts'

/** A running account of long work, shown on one line. */
export interface Progress {
  /** How much is done so far, in all; `note` is shown behind it. */
  readonly at: (done: number, note?: string) => void
  /** Clears the line and prints a closing one with the total, the time and the rate. Idempotent. */
  readonly end: (note?: string) => void
}

export interface ProgressOptions {
  /** What is going on, for instance `reading frames`. */
  readonly label: string
  /** What is counted, plural. Default: nothing behind the numbers. */
  readonly unit?: string
  /** How much there is in all; without it there is neither share nor time left. */
  readonly total?: number
}

/** Where a progress line goes. */
export interface ProgressOutput {
  readonly write: (text: string) => void
  /** Whether a line can be written over. */
  readonly rewrite: boolean
  readonly width: () => number
  /** Milliseconds of any clock that only moves forward. */
  readonly now: () => number
}

/** Over a terminal's line often, into a file seldom. */
const pauseMs = { rewrite: 100, append: 5_000 } as const
/** The rate is that of the last seconds: what has changed shows, what jitters does not. */
const windowMs = 5_000

/** Shows progress with rate and time left. Without a terminal it writes a plain line now and then. */
export function showProgress({ label, unit = '', total }: ProgressOptions, output: ProgressOutput): Progress {
  const began = output.now()
  const pause = output.rewrite ? pauseMs.rewrite : pauseMs.append
  let shown = output.rewrite ? Number.NEGATIVE_INFINITY : began
  let done = 0
  let ended = false
  let samples: { readonly time: number; readonly done: number }[] = [{ time: began, done: 0 }]

  const rate = (now: number) => {
    const first = samples[0] as { time: number; done: number }
    return now > first.time ? ((done - first.done) * 1_000) / (now - first.time) : 0
  }
  const counted = (value: number) => (unit === '' ? count(value) : `${count(value)} ${unit}`)

  const line = (now: number, note: string | undefined) => {
    const perSecond = rate(now)
    const parts = [
      total === undefined ? counted(done) : `${count(done)} of ${counted(total)}, ${percent(done / total, 0)}`,
      `${count(Math.round(perSecond))}/s`,
    ]
    if (total !== undefined && perSecond > 0 && done < total) parts.push(`${duration((total - done) / perSecond)} left`)
    if (note) parts.push(note)
    return `${label}: ${parts.join(', ')}`
  }

  const show = (now: number, note: string | undefined) => {
    const text = line(now, note)
    output.write(output.rewrite ? `\r\u001b[K${[...text].slice(0, output.width() - 1).join('')}` : `${text}\n`)
  }

  return {
    at: (next, note) => {
      if (ended) return
      done = next
      const now = output.now()
      if (now - shown < pause) return
      shown = now
      show(now, note)
      samples.push({ time: now, done })
      const recent = samples.findIndex(({ time }) => now - time <= windowMs)
      if (recent > 1) samples = samples.slice(recent - 1)
    },
    end: (note) => {
      if (ended) return
      ended = true
      const seconds = (output.now() - began) / 1_000
      const mean = seconds > 0 ? `, ${count(Math.round(done / seconds))}/s` : ''
      const text = `${label}: ${counted(done)} in ${duration(seconds)}${mean}${note ? `, ${note}` : ''}`
      output.write(`${output.rewrite ? '\r\u001b[K' : ''}${text}\n`)
    },
  }
}
