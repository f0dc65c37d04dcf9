import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** What is fetched and kept between runs; not under version control, may be deleted when nothing runs. */
export const cacheFolder: string = join(root, '.cache/services')

/** Where `services up` keeps data and logs. */
export const defaultFolder: string = join(cacheFolder, 'data')
