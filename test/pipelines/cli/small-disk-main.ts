/** The command on a disk that holds SMALL_DISK_BYTES more bytes, until SIGUSR2 makes room. */
import { type LogFile, type LogFiles, nodeFiles } from '../../../connectors/memory/index.ts'
import { runCommand } from '../../../pipelines/cli/program.ts'

let room = Number(process.env['SMALL_DISK_BYTES'])
process.on('SIGUSR2', () => {
  room = Number.POSITIVE_INFINITY
})
const full = () => Object.assign(new Error('simulated ENOSPC'), { code: 'ENOSPC' })

/** Takes what still fits, as a disk does, and then fails. */
const smaller = (file: LogFile): LogFile => ({
  ...file,
  write: async (bytes, position) => {
    const fits = Math.min(room, bytes.length)
    room -= fits
    await file.write(bytes.subarray(0, fits), position)
    if (fits < bytes.length) throw full()
  },
})
const files: LogFiles = { ...nodeFiles, open: async (path) => smaller(await nodeFiles.open(path)) }

await runCommand(process.argv, {
  pipelines: async () => [],
  deploy: async (settings) => (await import('../../../pipelines/cli/deploy.ts')).openEmbedded(settings, files),
})
