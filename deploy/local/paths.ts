import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/**
 * What is fetched and kept between runs: in METERVEIL_CACHE_FOLDER, or in a folder that is not under version control. May be
 * deleted when nothing runs.
 */
export const cacheFolder: string = join(
  resolve(process.env['METERVEIL_CACHE_FOLDER'] || join(root, '.cache')),
  'services',
)

/** Where `services up` keeps data and logs. */
export const defaultFolder: string = join(cacheFolder, 'data')

/** The same services for Docker Compose. */
export const composeFile: string = join(root, 'deploy/compose.yaml')
