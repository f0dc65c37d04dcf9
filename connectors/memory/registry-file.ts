import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { RegistryError, type SchemaRegistry } from '../contract.ts'
import { diskError, type LogFiles, nodeFiles } from './log-files.ts'
import { errorCode } from './log-lock.ts'
import { type RegistryContent, registryOver } from './schema-registry.ts'

export interface DurableRegistryOptions {
  /** Where the ids are kept; made at the first registration, in a folder that exists and that this process holds. */
  readonly file: string
  /** The file system. Optional: that of Node. */
  readonly files?: LogFiles
}

const format = 1

/**
 * The in-process registry over a file: same behaviour, and every id that was given out means the same schema after a
 * restart. The file is replaced whole (draft, fsync, rename) before an id is given out. Fails with a `RegistryError`
 * `corrupt` on a file that is not as it was written, with a `LogError` `disk_full` or `unauthorized` where it cannot write.
 */
export async function openDurableRegistry({
  file,
  files = nodeFiles,
}: DurableRegistryOptions): Promise<SchemaRegistry> {
  const path = resolve(file)
  return registryOver(await load(path, files), async (content) => {
    try {
      await replace(path, encode(content), files)
    } catch (error) {
      throw diskError(error, dirname(path))
    }
  })
}

async function load(path: string, files: LogFiles): Promise<RegistryContent> {
  let bytes: Buffer
  try {
    bytes = await files.read(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { schemas: [], subjects: new Map() }
    throw diskError(error, dirname(path))
  }
  const content = decode(bytes.toString('utf8'))
  if (content !== undefined) return content
  throw new RegistryError(
    'corrupt',
    `${basename(path)} in ${dirname(path)}, which says how records are to be read, is damaged: restore it from a copy`,
  )
}

/** One line of JSON, and one with its SHA-256: an id that moved by a flipped bit would make every record mean something else. */
function encode({ schemas, subjects }: RegistryContent): Buffer {
  const line = JSON.stringify({ format, schemas, subjects: Object.fromEntries(subjects) })
  return Buffer.from(`${line}\n${digest(line)}\n`)
}

function decode(text: string): RegistryContent | undefined {
  const [line = '', sum, end] = text.split('\n')
  if (end !== '' || sum !== digest(line)) return undefined
  const stored = JSON.parse(line) as {
    readonly format: number
    readonly schemas: readonly string[]
    readonly subjects: Readonly<Record<string, readonly number[]>>
  }
  if (stored.format !== format) return undefined
  return { schemas: stored.schemas, subjects: new Map(Object.entries(stored.subjects)) }
}

const digest = (line: string): string => createHash('sha256').update(line).digest('hex')

async function replace(path: string, bytes: Buffer, files: LogFiles): Promise<void> {
  const draft = `${path}.draft`
  try {
    const handle = await files.open(draft)
    try {
      await handle.truncate(0)
      await handle.write(bytes, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await files.rename(draft, path)
    await files.syncFolder(dirname(path))
  } catch (error) {
    await files.remove(draft).catch(() => {})
    throw error
  }
}
