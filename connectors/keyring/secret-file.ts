import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { basename } from 'node:path'

/** Keys that cannot be used. The message is one sentence that says what to do; it holds no key. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

const permissionBits = 0o777
const allowedModes: readonly number[] = [0o600, 0o400]

/**
 * The bytes of a secret file, which must be a regular file of this process' user that nobody else may touch: mode 0600 or
 * 0400, no symbolic link. Checked on the open file, so that it cannot be swapped in between. `place` is what messages call
 * the folder. Throws `KeyringError`.
 */
export function readSecretFile(path: string, howToMake: string, place = 'the key folder'): Buffer {
  const name = basename(path)
  const descriptor = open(path, name, howToMake, place)
  try {
    refuseUnsafe(fstatSync(descriptor), name)
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function open(path: string, name: string, howToMake: string, place: string): number {
  try {
    // without O_NONBLOCK a named pipe would block the open for ever
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw new KeyringError(`${place} has no ${name}: ${howToMake}`)
    if (code === 'ELOOP') {
      throw new KeyringError(`${name} is a symbolic link: put the file itself into ${place}, with mode 600`)
    }
    if (code === 'ENOTDIR') throw new KeyringError(`${place} is not a folder: name the folder that holds ${name}`)
    throw new KeyringError(`${name} cannot be opened (${code}): run the pipeline as the user who owns it`)
  }
}

function refuseUnsafe(stats: Stats, name: string): void {
  if (!stats.isFile()) throw new KeyringError(`${name} is not a regular file: replace it by one, with mode 600`)
  const user = process.getuid?.()
  if (user !== undefined && stats.uid !== user) {
    throw new KeyringError(
      `${name} belongs to another user: run chown ${user} ${name}, or run the pipeline as its owner`,
    )
  }
  const mode = stats.mode & permissionBits
  if (!allowedModes.includes(mode)) {
    throw new KeyringError(`${name} has mode ${mode.toString(8).padStart(3, '0')}: run chmod 600 ${name}`)
  }
}
