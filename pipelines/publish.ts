import { type PublishOptions, publish as publishSeals } from '../operators/privacy/publish.ts'
import { topics } from '../schemas/topics.ts'
import { type Pipeline, pipeline } from './runtime/index.ts'

/** The ledger in; exactly the bytes that were sealed, at their tick, out. */
export function publish(options: PublishOptions): Pipeline {
  return pipeline(
    'publish',
    topics.releaseLedger,
    (ledger) => {
      ledger.lowerAccumulating(publishSeals(options)).to(topics.loadPublic, { partition: 'key' })
    },
    {
      state: topics.publishState,
      // Should the state be gone, what is published says where to go on.
      history: { topic: topics.loadPublic, read: 'last', partition: 'every' },
      notBefore: (record) => (record.kind === 'seal' ? record.tick : 0),
    },
  )
}
