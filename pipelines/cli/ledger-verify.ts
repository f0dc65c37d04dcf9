import { HaltError } from '../../operators/contract/halt.ts'
import type { FoundFault } from '../../operators/privacy/ledger/faults.ts'
import { documentedCap } from '../../operators/privacy/ledger/overview.ts'
import { type HeadPin, reachesPin } from '../../operators/privacy/ledger/pin.ts'
import { type VerifiedLedger, verifyLedger } from '../../operators/privacy/ledger/verify.ts'
import { topics } from '../../schemas/topics.ts'
import { CliError } from './errors.ts'
import type { LedgerWork } from './ledger.ts'
import { type Compared, compareCopies } from './ledger-copies.ts'
import type { OpenedLedger } from './ledger-open.ts'
import { movePin, readPin } from './ledger-pin.ts'
import type { Terminal } from './terminal.ts'
import { count } from './text.ts'

/** So many faults are told; what comes after them is counted. */
const toldAtMost = 1_000

/**
 * `meterveil ledger verify`: tells every fault, a line each, and how much was checked. With a pin file, compares the ledger
 * with the head in it and, where nothing is wrong, moves it on. Rejects with `CliError` if there is any fault.
 */
export async function verifyCommand(
  { ledger, settings, terminal }: LedgerWork,
  { pin: file, since }: { readonly pin?: string; readonly since?: string },
): Promise<void> {
  const pin = file === undefined ? undefined : await speaking(async () => readPin(file))
  let faults = 0
  const { verified, compared } = await verifyAll(ledger, pin, since, (fault) => {
    faults += 1
    if (faults > toldAtMost) return
    terminal.record({ kind: 'fault', ...fault })
    terminal.line(terminal.paint.red(`! ${fault.says}`))
  })
  if (faults > toldAtMost) terminal.line(terminal.paint.red(`! … and ${count(faults - toldAtMost)} more`))
  tell(terminal, verified, compared, faults)
  if (faults > 0) {
    throw new CliError(
      `The ledger does not hold: ${faults === 1 ? '1 fault' : `${count(faults)} faults`}.`,
      `${file === undefined ? '' : 'The pinned head was left as it is. '}docs/auditor.md says what each fault means.`,
    )
  }
  if (file === undefined) return
  await speaking(() => movePin(file, { domain: verified.domain ?? settings.zone, ...verified.head }))
  terminal.record({ kind: 'pinned', seq: verified.head.seq, before: pin?.seq ?? null })
  terminal.line(`Pinned: link ${count(verified.head.seq)}${pin ? `, before it ${count(pin.seq)}` : ''}.`)
}

/** Reads a whole ledger and what was published from it, and tells every fault. */
export async function verifyAll(
  ledger: OpenedLedger,
  pin: HeadPin | undefined,
  since: string | undefined,
  found: (fault: FoundFault) => void,
): Promise<{ readonly verified: VerifiedLedger; readonly compared: Compared | undefined }> {
  // Where copies end is looked at before where the ledger ends: what was published by then is sealed by then.
  const partitions = await ledger.copies()
  const copies = partitions && compareCopies(partitions, found)
  const verifier = verifyLedger({
    published: { key: topics.loadPublic.key, decode: ledger.decodePublic },
    cap: documentedCap,
    domain: pin?.domain,
    pin,
    from: since === undefined ? 'first link' : 'checkpoint',
    found,
  })
  let begun = since === undefined
  for await (const link of ledger.links()) {
    if (!begun) {
      if (link?.kind !== 'checkpoint' || link.date < (since ?? '')) continue
      if (pin && !reachesPin(link, pin)) {
        throw new CliError(
          `The pinned link ${pin.seq} lies before the checkpoint of ${link.date}, link ${link.seq}.`,
          'Name an earlier day, or leave --since out.',
        )
      }
      begun = true
      copies?.begin(link.seq)
    }
    if (!link) verifier.unreadable()
    else {
      const records = verifier.follow(link)
      if (link.kind === 'seal') await copies?.match(link, records)
    }
  }
  if (!begun) throw new CliError(`The ledger has no checkpoint of ${since} or later.`, 'Leave --since out.')
  return { verified: verifier.finish(), compared: await copies?.finish() }
}

function tell(terminal: Terminal, verified: VerifiedLedger, compared: Compared | undefined, faults: number): void {
  const { head, domain = null, days, seals, records } = verified
  terminal.record({
    kind: 'verified',
    domain,
    seq: head.seq,
    hash: head.hash,
    days,
    seals,
    records,
    faults,
    ...compared,
  })
  terminal.line(
    `Ledger: ${count(head.seq)} links, ${count(days)} days charged, ${count(seals)} seals with ${count(records)} records.`,
  )
  if (compared) {
    const { copies, waiting } = compared
    const rest = waiting > 0 ? ` ${count(waiting)} seals wait for their tick.` : ''
    terminal.line(`Public: ${count(copies)} copies compared, byte for byte.${rest}`)
  } else terminal.note('load.public cannot be read with these settings: public copies were not compared.')
  terminal.line(`Head: ${domain ?? 'no domain'} ${head.seq} ${Buffer.from(head.hash).toString('hex')}`)
  if (faults === 0) terminal.line(terminal.paint.green('The ledger holds.'))
}

/** A pin that cannot be used ends the command, not a pipeline. */
export async function speaking<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw error instanceof HaltError ? new CliError(`${error.message}.`, error.action) : error
  }
}
