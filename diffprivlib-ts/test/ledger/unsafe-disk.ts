// A file system whose files live in memory twice: as written, and as they would be found after the power fails. Only fsync makes the second like the
// first; names need an fsync of their folder. It strikes after a given number of steps.
import type { LedgerFiles } from '../../src/ledger/file.ts'

export class PowerFailure extends Error {}

export interface Disk {
  readonly files: LedgerFiles
  /** What is left after a crash: for each file the synced bytes, and `keep` of those that were written since. */
  readonly crash: (keep: (unsynced: number) => number) => Disk
  /** Fails at the step after so many more. */
  readonly strikeAfter: (steps: number) => void
}

interface Node {
  bytes: Uint8Array
  synced: Uint8Array
}

export const disk = (
  names: Map<string, Node> = new Map(),
  flaws: { readonly ignoresFsync?: boolean; readonly bytesAtOnce?: number } = {},
): Disk => {
  let left = Number.POSITIVE_INFINITY
  let durableNames = new Map(names)
  const open = new Map<number, Node | 'folder'>()
  let next = 3
  const step = (): void => {
    if (left-- <= 0) throw new PowerFailure('the power failed')
  }
  const nodeOf = (file: number): Node => {
    const node = open.get(file)
    if (!node || node === 'folder') throw new Error(`no file ${file}`)
    return node
  }
  const files: LedgerFiles = {
    openSync: (path, flags) => {
      step()
      const known = names.get(path)
      const node = known ?? (flags === 'r' ? 'folder' : { bytes: new Uint8Array(), synced: new Uint8Array() })
      if (node !== 'folder') {
        if (flags === 'w') node.bytes = new Uint8Array()
        names.set(path, node)
      }
      open.set(next, node)
      return next++
    },
    readFileSync: (path) => names.get(path)!.bytes.slice(),
    writeSync: (file, bytes, offset, length, position) => {
      step()
      const node = nodeOf(file)
      const count = Math.min(length, flaws.bytesAtOnce ?? length)
      const grown = new Uint8Array(Math.max(node.bytes.length, position + count))
      grown.set(node.bytes)
      grown.set(bytes.subarray(offset, offset + count), position)
      node.bytes = grown
      return count
    },
    fsyncSync: (file) => {
      step()
      if (flaws.ignoresFsync) return
      const node = open.get(file)
      if (node === 'folder') durableNames = new Map(names)
      else if (node) node.synced = node.bytes.slice()
    },
    ftruncateSync: (file, length) => {
      step()
      const node = nodeOf(file)
      node.bytes = node.bytes.slice(0, length)
    },
    fstatSync: (file) => ({ size: nodeOf(file).bytes.length }),
    renameSync: (from, to) => {
      step()
      names.set(to, names.get(from)!)
      names.delete(from)
    },
    existsSync: (path) => names.has(path),
    closeSync: (file) => {
      open.delete(file)
    },
  }
  return {
    files,
    strikeAfter: (steps) => {
      left = steps
    },
    crash: (keep) => {
      const found = new Map<string, Node>()
      for (const [path, node] of durableNames) {
        const end = node.synced.length + keep(Math.max(node.bytes.length - node.synced.length, 0))
        const bytes = node.bytes.length >= node.synced.length ? node.bytes.slice(0, end) : node.synced.slice()
        found.set(path, { bytes, synced: bytes.slice() })
      }
      return disk(found)
    },
  }
}
