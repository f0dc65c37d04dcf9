import { createHash } from 'node:crypto'
import type { SeenRecord } from '../simulation/audit-stage.ts'
import { drawnValues, undrawnFields } from '../simulation/audit-values.ts'

/** One thing that one run showed. */
export interface AuditLine {
  readonly world: string
  readonly run: number
  /** Level, group, channel, start of the window in UTC, and which value: `raw`, `consistent`, `smoothed`, … or `rest`. */
  readonly id: string
  /** 0: preliminary, 1: final. */
  readonly rev: number
  /** How many copies of the same release came before it in the log, aborted ones included. */
  readonly attempt: number
  /** In Wh; absent where it is withheld. */
  readonly value?: number
  /** The record's timestamp, UTC ms. */
  readonly t: number
  /** Size of the record's value. */
  readonly bytes: number
}

export const auditValues = ['all', 'raw'] as const
export type AuditValues = (typeof auditValues)[number]

/**
 * The lines of one run, in the order of the log: for each copy of a record its values, and `rest`: everything else
 * that it holds, as a number made of its digest, so that any change of it shows. Left out of `rest` is only where the
 * ledger has it: a number and the hash of noisy bytes.
 */
export function linesOf(
  world: string,
  run: number,
  seen: readonly SeenRecord[],
  values: AuditValues,
): readonly AuditLine[] {
  return seen.flatMap(({ record, attempt, bytes, t }): AuditLine[] => {
    const { level, group, channel, window, phase } = record
    const name = `${level}/${group}/${channel}/${new Date(window).toISOString()}`
    const line = (which: string, value: number | null): AuditLine => ({
      world,
      run,
      id: `${name}/${which}`,
      rev: phase === 'final' ? 1 : 0,
      attempt,
      ...(value === null ? {} : { value }),
      t,
      bytes: bytes.length,
    })
    if (values === 'raw') return [line('raw', record.rawWh)]
    return [
      ...drawnValues(record).map(([field, value]) => line(field.replace(/Wh$/, ''), value)),
      line('rest', numberOf(JSON.stringify(undrawnFields(record)))),
    ]
  })
}

const numbers = new Map<string, number>()

/** 48 bits of SHA-256. Few texts come up, as long as nothing in them depends on data. */
function numberOf(text: string): number {
  let number = numbers.get(text)
  if (number === undefined) {
    number = createHash('sha256').update(text).digest().readUIntBE(0, 6)
    if (numbers.size < 10_000) numbers.set(text, number)
  }
  return number
}
