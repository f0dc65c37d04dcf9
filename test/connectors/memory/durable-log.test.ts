import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDurableLog } from '../../../connectors/memory/index.ts'
import { logConformance } from '../../conformance/log.ts'

for (const fsync of ['commit', 'none'] as const) {
  logConformance(`the in-process log in a folder, fsync ${fsync},`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meterveil-log-'))
    const log = await openDurableLog({ folder, fsync })
    return {
      log,
      other: log,
      compact: log.compact,
      close: async () => {
        await log.close()
        rmSync(folder, { recursive: true })
      },
    }
  })
}
