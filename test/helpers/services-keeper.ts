/**
 * Stops the services of a test run once its owner is gone, however it went; also those of earlier runs whose keeper was
 * killed. Arguments: process id and start time of the owner, folder of the services, folder of all runs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, type Owned } from '../../deploy/local/index.ts'
import { stopServices } from './services.ts'

const [pid = '', began = '', folder = '', runs = ''] = process.argv.slice(2)
const owner: Owned = { pid: Number(pid), began }

for (const name of readdirSync(runs)) {
  const left = join(runs, name)
  if (left !== folder && existsSync(join(left, 'owner.json')) && !alive(ownerOf(left))) await stopServices(left)
}
while (alive(owner) && existsSync(folder)) await sleep(500)
await stopServices(folder)

function ownerOf(left: string): Owned {
  try {
    return JSON.parse(readFileSync(join(left, 'owner.json'), 'utf8')) as Owned
  } catch {
    // Removed this moment by its own keeper.
    return { pid: process.pid, began: 'never' }
  }
}
