// The entry of `npm test`: plain JavaScript, so that an old Node gets a sentence instead of a loader error.
import { requireNode24 } from '../pipelines/cli/require-node.js'

requireNode24()
await import('./run.ts')
