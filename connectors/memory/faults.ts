import { type Clock, systemClock } from '../../operators/contract/clock.ts'
import { type Log, LogError, type LogErrorCode, type Reader, type StateView, type Transactor } from '../contract.ts'

/** A call to a port, as a plan sees it. */
export interface FaultedCall {
  readonly method:
    | Exclude<keyof Log, 'close'>
    | Exclude<keyof Transactor, 'close'>
    | 'poll'
    | 'position'
    | 'exchange'
    | 'reset'
  /** The transactional id, the topic or the scope that the call is about. */
  readonly about: string
  /** How many calls of this method there were before, over all objects of the wrapper. */
  readonly earlier: number
}

/**
 * What befalls a call. `lost_request`: it never arrives. `lost_reply`: it arrives, the answer does not. `late`: the caller
 * is told that no answer came, and the request arrives after `ms` all the same. `slow`: the answer takes `ms`.
 * `refused`: it fails with a code and has no effect.
 */
export type Fault =
  | { readonly kind: 'lost_request' | 'lost_reply' }
  | { readonly kind: 'late' | 'slow'; readonly ms: number }
  | { readonly kind: 'refused'; readonly code: LogErrorCode }

/** Decides for each call whether something befalls it. */
export type FaultPlan = (call: FaultedCall) => Fault | undefined

/** A plan by script: the nth call (from 0) of a method, on anything or on one id, topic or scope. */
export function scriptedFaults(
  script: readonly {
    readonly method: FaultedCall['method']
    readonly nth: number
    readonly about?: string
    readonly fault: Fault
  }[],
): FaultPlan {
  const seen = new Map<string, number>()
  return ({ method, about }) => {
    const counts = [method, `${method}\u0000${about}`].map((key) => {
      const nth = seen.get(key) ?? 0
      seen.set(key, nth + 1)
      return nth
    })
    return script.find(
      (line) =>
        line.method === method &&
        (line.about === undefined ? line.nth === counts[0] : line.about === about && line.nth === counts[1]),
    )?.fault
  }
}

export interface FaultRates {
  /** Share of calls that something befalls, from 0 to 1. */
  readonly rate: number
  /** Methods that it may befall. Optional: all that write. */
  readonly methods?: readonly FaultedCall['method'][]
  /** What may happen, each as likely. Optional: lost request, lost reply, and an arrival 50 ms late. */
  readonly faults?: readonly Fault[]
}

const writing: readonly FaultedCall['method'][] = [
  'open',
  'sendOffsets',
  'send',
  'commit',
  'abort',
  'append',
  'exchange',
  'reset',
]
const losses: readonly Fault[] = [{ kind: 'lost_request' }, { kind: 'lost_reply' }, { kind: 'late', ms: 50 }]

/** A plan drawn from a seed: the same calls in the same order meet the same faults. */
export function seededFaults(seed: number, { rate, methods = writing, faults = losses }: FaultRates): FaultPlan {
  let state = seed >>> 0
  // A 32-bit mixing generator: good enough to spread faults, and the same everywhere.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return ({ method }) => {
    const strikes = next() < rate
    const which = Math.floor(next() * faults.length)
    return strikes && methods.includes(method) ? faults[which] : undefined
  }
}

interface Faults {
  readonly call: <T>(method: FaultedCall['method'], about: string, act: () => Promise<T>) => Promise<T>
  down: boolean
}

function faultsOf(plan: FaultPlan, clock: Clock): Faults {
  const counts = new Map<FaultedCall['method'], number>()
  const unanswered = (method: string) => new LogError('unknown_outcome', `no answer came to ${method}`)
  const faults: Faults = {
    down: false,
    call: async (method, about, act) => {
      const earlier = counts.get(method) ?? 0
      counts.set(method, earlier + 1)
      if (faults.down) throw new LogError('retriable', `the broker is down: ${method} did not reach it`)
      const fault = plan({ method, about, earlier })
      switch (fault?.kind) {
        case undefined:
          break
        case 'refused':
          throw new LogError(fault.code, `${method} was refused`)
        case 'lost_request':
          throw unanswered(method)
        case 'lost_reply':
          // Whether it succeeded is what the caller must not learn.
          await act().catch(() => {})
          throw unanswered(method)
        case 'late':
          void clock
            .sleep(fault.ms)
            .then(act)
            .catch(() => {})
          throw unanswered(method)
        case 'slow':
          await clock.sleep(fault.ms)
          break
      }
      const result = await act()
      if (faults.down) throw unanswered(method)
      return result
    },
  }
  return faults
}

/** A log whose calls meet faults; what it wraps stays as it is. */
export interface FaultyLog extends Log {
  /** From now on no call reaches the broker, and calls under way get no answer. */
  readonly goDown: () => void
  readonly comeUp: () => void
}

/** Puts faults between a caller and a log. `close` always works. */
export function faultyLog(log: Log, plan: FaultPlan, clock: Clock = systemClock): FaultyLog {
  const faults = faultsOf(plan, clock)
  const { call } = faults
  const transactor = (inner: Transactor, id: string): Transactor => ({
    begin: () => call('begin', id, inner.begin),
    sendOffsets: (...offsets) => call('sendOffsets', id, () => inner.sendOffsets(...offsets)),
    send: (records) => call('send', id, () => inner.send(records)),
    commit: () => call('commit', id, inner.commit),
    abort: () => call('abort', id, inner.abort),
    close: inner.close,
  })
  const reader = (inner: Reader, topic: string): Reader => ({
    poll: (options) => call('poll', topic, () => inner.poll(options)),
    close: inner.close,
  })
  return {
    createTopics: (topics) => call('createTopics', '', () => log.createTopics(topics)),
    partitions: (topic) => call('partitions', topic, () => log.partitions(topic)),
    bounds: (topic, ...rest) => call('bounds', topic, () => log.bounds(topic, ...rest)),
    open: (id, options) => call('open', id, async () => transactor(await log.open(id, options), id)),
    read: (topic, ...rest) => call('read', topic, async () => reader(await log.read(topic, ...rest), topic)),
    committed: (group, topic, partition) => call('committed', topic, () => log.committed(group, topic, partition)),
    join: (group, topic, handlers) => call('join', topic, () => log.join(group, topic, handlers)),
    append: (records) => call('append', records[0]?.topic ?? '', () => log.append(records)),
    close: log.close,
    goDown: () => {
      faults.down = true
    },
    comeUp: () => {
      faults.down = false
    },
  }
}

/** A state view whose calls meet faults. */
export function faultyView(view: StateView, plan: FaultPlan, clock: Clock = systemClock): StateView {
  const { call } = faultsOf(plan, clock)
  return {
    position: (scope) => call('position', scope, () => view.position(scope)),
    exchange: (scope, request) => call('exchange', scope, () => view.exchange(scope, request)),
    reset: (scope, ...rest) => call('reset', scope, () => view.reset(scope, ...rest)),
    close: view.close,
  }
}
