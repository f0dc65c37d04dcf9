import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDurableLog } from '../../../connectors/memory/index.ts'
import { logConformance } from '../../conformance/log.ts'
import { evicting } from '../../conformance/log-harness.ts'

for (const fsync of ['commit', 'none'] as const) {
  logConformance(`the in-process log in a folder, fsync ${fsync},`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meterveil-log-'))
    const { compact, evict, close, ...inner } = await openDurableLog({ folder, fsync })
    const { log, expel } = evicting({ ...inner, close }, evict)
    return {
      log,
      other: log,
      compact,
      expel,
      close: async () => {
        await close()
        rmSync(folder, { recursive: true })
      },
    }
  })
}
