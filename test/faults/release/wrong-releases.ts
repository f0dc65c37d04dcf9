import { type Log, LogError, type Transactor } from '../../../connectors/contract.ts'
import type { Published } from '../../../operators/contract/published.ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import type { NoiseSource } from '../../../operators/privacy/release/noise.ts'
import type { ReleaseState } from '../../../operators/privacy/release/state.ts'
import { load } from '../../../pipelines/load.ts'
import { publish } from '../../../pipelines/publish.ts'
import type { Pipeline } from '../../../pipelines/runtime/index.ts'
import type { AnyAccumulating, AnyTopic } from '../../../pipelines/runtime/stream.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import { topics } from '../../../schemas/topics.ts'
import { drawsAgain } from '../../attacks/end-to-end/selection-again.ts'
import { abortAndReuse } from '../planted/wrong-ports.ts'
import type { Plant } from './storm.ts'

// Wrong releases, planted in the sound one: what a plausible developer would do instead of the right thing.

/** A pipeline with another step at its head. */
function withStep(pipeline: Pipeline, wrong: (step: AnyAccumulating) => AnyAccumulating): Pipeline {
  const [first, ...rest] = pipeline.nodes
  if (first?.kind !== 'accumulating') throw new Error('the pipeline has no accumulating step')
  return { ...pipeline, nodes: [{ ...first, step: wrong(first.step) }, ...rest] }
}

const withTransactor = (log: Log, wrap: (inner: Transactor) => Transactor): Log => ({
  ...log,
  open: async (id, options) => wrap(await log.open(id, options)),
})

const withNoise =
  (wrong: (noise: NoiseSource) => NoiseSource): NonNullable<Plant['load']> =>
  (options) =>
    load({ ...options, noise: wrong(options.noise) })

/** Copies what a link holds without asking whether it may. */
const unverified: NonNullable<Plant['publish']> = (options) =>
  withStep(publish(options), (step) => ({
    ...step,
    restore: () => ({ dirty: false }),
    process: (batch, _, out) => {
      for (const from of batch) for (const copy of copiesOf(from.value as LedgerRecord)) out.emit(from, copy)
      return 'done'
    },
    changed: () => [],
  }))

function copiesOf(link: LedgerRecord): Published<never>[] {
  if (link.kind !== 'seal') return []
  return unpackRecords(link.records, link.hash, link.count).map(
    ({ key, bytes }) => ({ key, bytes, timestamp: link.tick }) as Published<never>,
  )
}

/** Opens its transactional id again where it was fenced, and sends the same once more. */
function fenceBack(log: Log): Log {
  return {
    ...log,
    open: async (id, options) => {
      let inner = await log.open(id, options)
      let steps: (() => Promise<void>)[] = []
      const stubborn = async (step: () => Promise<void>): Promise<void> => {
        steps.push(step)
        try {
          await step()
        } catch (error) {
          if (!(error instanceof LogError) || error.code !== 'fenced') throw error
          inner = await log.open(id, options)
          for (const each of steps) await each()
        }
      }
      return {
        begin: () => {
          steps = []
          return stubborn(() => inner.begin())
        },
        sendOffsets: (...offsets) => stubborn(() => inner.sendOffsets(...offsets)),
        send: (records) => stubborn(() => inner.send(records)),
        commit: () => stubborn(() => inner.commit()),
        abort: () => inner.abort(),
        close: () => inner.close(),
      }
    },
  }
}

/** Each wrong release, and what must be found of it. */
export const wrongReleases: Readonly<Record<string, { readonly plant: Plant; readonly found: RegExp }>> = {
  'draws again after a crash, because what is public is written with the seal': {
    plant: {
      log: (log, { wire }) =>
        withTransactor(log, (inner) => ({
          ...inner,
          send: async (records) => {
            const links = records
              .filter(({ topic }) => topic === topics.releaseLedger.name)
              .map(({ value }) => wire.decode(topics.releaseLedger as AnyTopic, value!) as LedgerRecord)
            const copies = links.flatMap(copiesOf).map(({ key, bytes, timestamp }) => ({
              topic: topics.loadPublic.name,
              partition: 0,
              key: Buffer.from(key),
              value: bytes,
              timestamp,
            }))
            await inner.send([...records, ...copies])
          },
        })),
      publish: (options) =>
        withStep(publish(options), (step) => ({ ...step, process: () => 'done', changed: () => [] })),
    },
    found: /visible that no ledger holds/,
  },
  'charges a day in the transaction of its first noise': {
    plant: {
      load: (options) =>
        withStep(load(options), (step) => ({
          ...step,
          process: (batch, state, out, context) => {
            const answer = step.process(batch, state, out, context)
            return answer === 'more' ? step.process([], state, out, context) : answer
          },
        })),
    },
    found: /drawn before its charge was committed/,
  },
  'forgets its last seal when it is restored': {
    plant: {
      load: (options) =>
        withStep(load(options), (step) => ({
          ...step,
          restore: (rows, history) => {
            const state = step.restore(rows, history) as ReleaseState
            for (const { sealed } of state.days.values()) {
              sealed.preliminary = Math.max(0, sealed.preliminary - 1)
            }
            return state
          },
        })),
    },
    found: /sealed twice|released twice/,
  },
  'publishes what is not committed in the ledger': {
    plant: {
      log: (log) => ({
        ...log,
        read: (topic, partition, from, isolation) =>
          log.read(topic, partition, from, topic === topics.releaseLedger.name ? 'read_uncommitted' : isolation),
      }),
      publish: unverified,
    },
    found: /visible that no ledger holds/,
  },
  'goes on with a ledger and a state that were restored together': {
    plant: { unpinned: true },
    found: /went on although/,
  },
  'goes on after it was overtaken': {
    plant: { log: (log) => fenceBack(log) },
    found: /chain|twice|ended with/,
  },
  'takes a lost answer for a failure and sends again': {
    plant: { log: (log) => abortAndReuse(log) },
    found: /chain|twice|ended with|times/,
  },
  'hides two values behind one draw': {
    plant: {
      load: withNoise((noise) => {
        let last: bigint | undefined
        let times = 0
        return {
          gaussian: (sigma2) => {
            last = last === undefined || times++ % 7 > 0 ? noise.gaussian(sigma2) : last
            return last
          },
        }
      }),
    },
    found: /has the noise of another value/,
  },
  'draws with half of the variance that was paid for': {
    plant: {
      load: withNoise((noise) => ({
        gaussian: ({ num, den }) => noise.gaussian({ num, den: den * 2n }),
      })),
    },
    found: /less noise than was paid for/,
  },
  'selects groups again at every start': {
    plant: { selects: true, load: (options) => drawsAgain(load(options)) },
    found: /is selected twice/,
  },
  'selects with more than the day has paid for': {
    plant: {
      selects: true,
      load: withNoise((noise) => ({
        ...noise,
        select: ({ epsilon: { num, den }, ...terms }, counts) =>
          noise.select!({ ...terms, epsilon: { num: 2n * num, den } }, counts),
      })),
    },
    found: /costs more than was paid for/,
  },
  'counts who reported anew after a restart': {
    plant: {
      selects: true,
      load: (options) =>
        withStep(load(options), (step) => ({
          ...step,
          restore: (rows, history) => {
            const state = step.restore(rows, history) as ReleaseState
            for (const { counts } of state.reporting.values()) counts.clear()
            return state
          },
        })),
    },
    found: /is counted/,
  },
  'leaves values that come late to whoever restarted': {
    plant: {
      load: (options) =>
        withStep(load(options), (step) => ({
          ...step,
          restore: (rows, history) => {
            const state = step.restore(rows, history) as ReleaseState
            for (const row of [...state.windows.keys()]) if (row.endsWith(' late')) state.windows.delete(row)
            return state
          },
        })),
    },
    found: /other sums than it should/,
  },
}
