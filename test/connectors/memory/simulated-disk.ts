import { dirname } from 'node:path'
import type { LogFiles } from '../../../connectors/memory/log-files.ts'

type Write = { readonly at: number; readonly bytes: Uint8Array } | { readonly length: number }

interface Inode {
  /** What a read sees. */
  bytes: Uint8Array
  /** What a power cut surely leaves. */
  stable: Uint8Array
  /** Writes since the last sync, in order. */
  pending: Write[]
}

/** What a fault does to the operation it strikes. */
export type DiskFault = 'before' | 'half' | 'after'

/** A file system in memory that knows what was synced, can run full, and can stop at any operation. */
export interface SimulatedDisk {
  readonly files: LogFiles
  /** Bytes that still fit; infinite at first. */
  room: number
  /** Operations done so far. */
  readonly operations: () => number
  /** Lets the operation with this number fail, and with `forGood` every one after it, as the end of the process does. */
  readonly strike: (operation: number, fault: DiskFault, forGood: boolean) => void
  readonly failSyncs: (fail: boolean) => void
  /** From now on syncs do nothing, and say that they did. */
  readonly lieAboutSyncs: () => void
  /** The disk as the next process finds it after this one was killed. */
  readonly afterKill: () => SimulatedDisk
  /**
   * The disk after a power cut: of what was not synced, `choose(n)` < n decides what is left: nothing, all, a part, or
   * zeros in its place; later writes may survive earlier ones.
   */
  readonly afterPowerCut: (choose: (count: number) => number) => SimulatedDisk
  readonly paths: () => readonly string[]
  readonly content: (path: string) => Uint8Array
  readonly replace: (path: string, bytes: Uint8Array) => void
}

export function simulatedDisk(initial: ReadonlyMap<string, Uint8Array> = new Map()): SimulatedDisk {
  const live = new Map<string, Inode>()
  for (const [path, bytes] of initial) live.set(path, { bytes, stable: bytes, pending: [] })
  const saved = new Map(live)
  let operations = 0
  let struck: { readonly operation: number; readonly fault: DiskFault; readonly forGood: boolean } | undefined
  let syncsFail = false
  let syncsLie = false

  const failure = (code: string) => Object.assign(new Error(`simulated ${code}`), { code })
  /** Does an operation, or as much of it as the fault lets pass. */
  const operate = async (whole: () => void, half: () => void = () => {}) => {
    operations += 1
    const fault = struck === undefined || operations < struck.operation ? undefined : struck
    if (fault === undefined || (operations > fault.operation && !fault.forGood)) return whole()
    if (operations === fault.operation && fault.fault === 'half') half()
    if (operations === fault.operation && fault.fault === 'after') whole()
    throw failure('EIO')
  }
  const find = (path: string): Inode => {
    const inode = live.get(path)
    if (inode === undefined) throw failure('ENOENT')
    return inode
  }

  const disk: SimulatedDisk = {
    room: Number.POSITIVE_INFINITY,
    operations: () => operations,
    strike: (operation, fault, forGood) => {
      struck = { operation, fault, forGood }
    },
    failSyncs: (fail) => {
      syncsFail = fail
    },
    lieAboutSyncs: () => {
      syncsLie = true
    },
    paths: () => [...live.keys()].sort(),
    content: (path) => find(path).bytes,
    replace: (path, bytes) => {
      live.set(path, { bytes, stable: bytes, pending: [] })
    },
    afterKill: () => simulatedDisk(new Map([...live].map(([path, { bytes }]) => [path, bytes.slice()]))),
    afterPowerCut: (choose) => {
      const names = new Map(saved)
      for (const path of new Set([...live.keys(), ...saved.keys()])) {
        if (live.get(path) === saved.get(path) || choose(2) === 0) continue
        const inode = live.get(path)
        if (inode === undefined) names.delete(path)
        else names.set(path, inode)
      }
      return simulatedDisk(new Map([...names].map(([path, inode]) => [path, survivor(inode, choose)])))
    },
    files: {
      open: async (path) => {
        if (!live.has(path)) {
          await operate(() => live.set(path, { bytes: new Uint8Array(0), stable: new Uint8Array(0), pending: [] }))
        }
        const inode = find(path)
        const put = (write: Write) => {
          inode.bytes = applied(inode.bytes, write)
          inode.pending.push(write)
        }
        return {
          write: async (bytes, at) => {
            const fits = Math.min(bytes.length, disk.room)
            await operate(
              () => put({ at, bytes: bytes.slice(0, fits) }),
              () => put({ at, bytes: bytes.slice(0, fits >> 1) }),
            )
            disk.room -= fits
            if (fits < bytes.length) throw failure('ENOSPC')
          },
          sync: () =>
            operate(() => {
              if (syncsFail) throw failure('EIO')
              if (syncsLie) return
              inode.stable = inode.bytes
              inode.pending = []
            }),
          truncate: (length) => operate(() => put({ length })),
          close: async () => {},
        }
      },
      read: async (path) => Buffer.from(find(path).bytes),
      list: async (path) => [
        ...new Set(
          [...live.keys()]
            .filter((each) => each.startsWith(`${path}/`))
            .map((each) => each.slice(path.length + 1).split('/')[0]!),
        ),
      ],
      makeFolder: async () => {},
      syncFolder: (path) =>
        operate(() => {
          if (syncsFail) throw failure('EIO')
          for (const each of saved.keys()) if (dirname(each) === path && !live.has(each)) saved.delete(each)
          for (const [each, inode] of live) if (dirname(each) === path) saved.set(each, inode)
        }),
      lock: async () => ({ release: async () => {} }),
      rename: (from, to) =>
        operate(() => {
          live.set(to, find(from))
          live.delete(from)
        }),
      remove: (path) => operate(() => void live.delete(path)),
    },
  }
  return disk
}

function applied(bytes: Uint8Array, write: Write): Uint8Array {
  if ('length' in write) return bytes.slice(0, write.length)
  const result = new Uint8Array(Math.max(bytes.length, write.at + write.bytes.length))
  result.set(bytes)
  result.set(write.bytes, write.at)
  return result
}

function survivor({ stable, pending }: Inode, choose: (count: number) => number): Uint8Array {
  let bytes = stable
  for (const write of pending) {
    const fate = choose(4)
    if (fate === 0) continue
    if (fate === 1 || 'length' in write) bytes = applied(bytes, write)
    else if (fate === 2)
      bytes = applied(bytes, { at: write.at, bytes: write.bytes.slice(0, choose(write.bytes.length + 1)) })
    else bytes = applied(bytes, { at: write.at, bytes: new Uint8Array(write.bytes.length) })
  }
  return bytes
}
