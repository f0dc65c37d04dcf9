import { readFileSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { HaltError } from '../../operators/contract/halt.ts'
import { emptyHead, headOf } from '../../operators/privacy/ledger/chain.ts'
import { releaseHalt } from '../../operators/privacy/ledger/halts.ts'
import {
  formatPin,
  type HeadPin,
  PinError,
  parsePin,
  reachesPin,
  requirePinned,
} from '../../operators/privacy/ledger/pin.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LedgerPin } from '../load.ts'

/** The pinned head in a file, or undefined where there is none. Throws HaltError for a file that proves nothing. */
export function readPin(path: string): HeadPin | undefined {
  const name = basename(path)
  let found: { readonly mode: number; readonly text: string }
  try {
    found = { mode: statSync(path).mode, text: readFileSync(path, 'utf8') }
  } catch (error) {
    const { code = 'an unknown error' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw unusable(name, `it cannot be read (${code})`)
  }
  if ((found.mode & 0o022) !== 0) throw unusable(name, `others may write it; run chmod go-w ${name}`)
  try {
    return parsePin(found.text)
  } catch (error) {
    throw error instanceof PinError ? unusable(name, error.message) : error
  }
}

const unusable = (name: string, why: string): HaltError =>
  releaseHalt(
    'pin_unusable',
    `${name} cannot be used as a pinned head: ${why}`,
    'Restore the file from where you keep its copy, or verify the ledger and pin it anew.',
  )

const foreign = (path: string): HaltError =>
  releaseHalt(
    'pin_foreign',
    `${basename(path)} holds the head of another domain`,
    'Give every domain a file of its own.',
  )

/**
 * Writes a pinned head whole or not at all, and lasting: draft, fsync, rename. It never goes back: a file that holds a later
 * head of the domain stays. Rejects with HaltError where it holds another domain's or cannot be written.
 */
export async function movePin(file: string, pin: HeadPin): Promise<void> {
  const path = resolve(file)
  const present = readPin(path)
  if (present && present.domain !== pin.domain) throw foreign(path)
  if (present && present.seq >= pin.seq) return
  await writePin(path, present?.unproven === undefined ? pin : { ...pin, unproven: present.unproven })
}

/** Replaces a pin, also by an older head: an operator decides that. Rejects with HaltError where it cannot be written. */
export async function writePin(file: string, pin: HeadPin): Promise<void> {
  const path = resolve(file)
  const draft = `${path}.${process.pid}.draft`
  try {
    const handle = await open(draft, 'w', 0o644)
    try {
      await handle.writeFile(formatPin(pin))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    const { code = 'an unknown error' } = error as NodeJS.ErrnoException
    throw releaseHalt(
      'pin_unwritable',
      `the head of the ledger could not be pinned in ${basename(path)} (${code})`,
      'Make the folder of ledgerPinFile writable, with room in it; what is committed is in the ledger and is released once.',
    )
  }
}

/**
 * The pin of a running pipeline: compared at each assignment, moved on after each commit that adds links. The file is begun
 * with an empty ledger; where links are there and the file is not, it was lost, and an operator must vouch for the ledger.
 */
export function filePin(file: string, domain: string): LedgerPin {
  const pinOf = (link: LedgerRecord): HeadPin => ({ domain, ...headOf(link) })
  return {
    unproven: () => readPin(file)?.unproven,
    reaches: (link) => reachesPin(link, readPin(file) ?? emptyHead),
    check: async (history) => {
      const links = history as readonly LedgerRecord[]
      const last = links.at(-1)
      const pin = readPin(file)
      if (!pin && last) {
        throw releaseHalt(
          'pin_missing',
          `release.ledger holds ${last.seq} links, but ${basename(file)}, which pins its head, is not there`,
          'Restore the file; where there never was one, run meterveil ledger verify --pin with it first.',
        )
      }
      if (pin && pin.domain !== domain) throw foreign(file)
      if (pin) requirePinned(pin, links)
      await movePin(file, last ? pinOf(last) : { domain, ...emptyHead })
    },
    committed: (value) => movePin(file, pinOf(value as LedgerRecord)),
  }
}
