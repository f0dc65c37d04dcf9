/**
 * The rules that make a keyed pipeline exactly-once, each as a switch. `all` is the protocol; a model run with one of
 * them off must find a lost, a duplicate or a stuck interval, and that is what the rule is for.
 *
 * The setting: one task per input partition reads frames, drops intervals it has accepted before, and writes readings
 * together with one link of the changelog `accepted` (what changed in the state, the input range, the floor) in one
 * transaction. A view holds the state for look-ups; it can be lost at any time. Owners of a partition come and go, and an
 * old owner may wake up late.
 */
export interface Rules {
  /**
   * 1. Assign. Opening a transactional id fences older owners and settles what they left open. Without it an old owner
   * commits a batch after the new one has read the changelog, and both emit it.
   */
  readonly fence: boolean
  /**
   * 1. The changelog is read after the fence. Before it, the old owner may still commit a batch that the reader has not
   * seen: the new owner repeats it.
   */
  readonly readAfterFence: boolean
  /**
   * 1. The new owner commits a marker and reads up to it. Without it a reader cannot tell the end from an end that it
   * does not see yet (a lagging replica, markers still being written), and the last batch is repeated.
   */
  readonly marker: boolean
  /**
   * 1. The input position is `inTo` of the last link. The group's offset may be behind (harmless: dropped as duplicates),
   * but also expired or reset to the end: what lies between is lost.
   */
  readonly positionFromLog: boolean
  /**
   * 2. Readings, link and offsets are one transaction. With two, a crash in between leaves readings that no link
   * vouches for, and they are emitted again.
   */
  readonly oneTransaction: boolean
  /** 2. Duplicates are also found within the batch: a storm of retries often comes in one. */
  readonly dedupeWithinBatch: boolean
  /** 2. State changes only after the commit. Claimed before it, a crash leaves a claim without a reading: lost. */
  readonly claimAfterCommit: boolean
  /**
   * 3. An apply is a compare-and-set on the view's position. Without it a late apply of an old owner puts its position on
   * a view that was emptied or rebuilt since: what it lacks is accepted again.
   */
  readonly compareAndSet: boolean
  /**
   * 3. A rebuild writes under a new generation and switches by compare-and-set. In place, a late write of another rebuild
   * (an older owner's, or one of before a view loss) overwrites newer cells.
   */
  readonly generation: boolean
  /**
   * 3. A generation is adopted only if all of its parts are there: each part must follow the one before it, and the
   * switch names their number. The position alone does not show it: an empty view that is lost again in the middle of a
   * rebuild, or one that goes back in it, still stands at the position that the switch expects.
   */
  readonly wholeGeneration: boolean
  /**
   * 3. The hash of the link is part of the position. After the log was restored to an older state and went on, the view
   * may stand at the same sequence number of another history.
   */
  readonly hash: boolean
  /**
   * 3. What is expected comes from the log. Taken from the view, a view that was rolled back is believed, and what it
   * forgot is accepted again; one ahead of a restored log hides what must be emitted.
   */
  readonly expectedFromLog: boolean
  /**
   * 3. A changelog shorter than the readings it vouches for halts the pipeline. Going on would accept again what its lost
   * end had accepted.
   */
  readonly haltOnShortChangelog: boolean
  /**
   * 3. A rebuild from a changelog that no longer reaches back to the floor halts: its lost start is still needed. What is
   * needed is whole days: the first link kept must have seen a day before the floor's. `by_instant` compares its time
   * with the floor itself, and forgets what was accepted earlier on the floor's own day.
   */
  readonly haltOnShortRetention: 'by_day' | 'by_instant' | 'never'
  /**
   * 4. A request without an answer may have had its effect, may have it later, or never. `reassign`: throw the producer
   * away, fence, and see in the log. `assume_failed` and `assume_committed` fence too, but go on from memory: one repeats
   * a batch that was committed, the other skips one that was not. `abort_and_reuse` and `commit_again` keep the producer:
   * a late commit of before ends a later transaction half-way.
   */
  readonly unknown: 'reassign' | 'assume_failed' | 'assume_committed' | 'abort_and_reuse' | 'commit_again'
  /**
   * 4. A fenced task assigns again only if the group says that the partition is still its own (its transaction may just
   * have timed out). If it always does, two owners fence each other for ever; if it never does, nobody is left.
   */
  readonly afterFence: 'ask' | 'always_assign' | 'always_stop'
  /**
   * 5. The floor comes from append times and is carried in the log. By the worker's clock, one worker forgets days that
   * another one still accepts (duplicate), or drops intervals that are on time (lost).
   */
  readonly latenessFromLog: boolean
  /**
   * 5. The floor never goes down, although append times may: days below it have been forgotten.
   */
  readonly monotoneFloor: boolean
  /**
   * 6. A meter belongs to one partition, by the register; a frame that comes to another is forwarded. Else two partitions
   * accept the same interval.
   */
  readonly owners: boolean
  /** 6. An index is given to one measuring point only. Two under one index hide each other's intervals. */
  readonly uniqueIndex: boolean
  /** 6. The forward is part of the batch's transaction. After it, a crash loses the frame. */
  readonly forwardInTransaction: boolean
}

export const all: Rules = {
  fence: true,
  readAfterFence: true,
  marker: true,
  positionFromLog: true,
  oneTransaction: true,
  dedupeWithinBatch: true,
  claimAfterCommit: true,
  compareAndSet: true,
  generation: true,
  wholeGeneration: true,
  hash: true,
  expectedFromLog: true,
  haltOnShortChangelog: true,
  haltOnShortRetention: 'by_day',
  unknown: 'reassign',
  afterFence: 'ask',
  latenessFromLog: true,
  monotoneFloor: true,
  owners: true,
  uniqueIndex: true,
  forwardInTransaction: true,
}
