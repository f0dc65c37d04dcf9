/**
 * A promise was broken (a chain with a gap, a key that is gone, a label that disagrees): going on would lose, duplicate or
 * leak. The runtime stops the pipeline and says the sentence; nothing of the batch at hand is written.
 */
export class HaltError extends Error {
  override readonly name = 'HaltError'
  /** What to do next, one sentence. */
  readonly action: string
  /** Its name in the closed list of release reasons, for a halt that keeps something from being released. */
  readonly reason: string | undefined
  constructor(sentence: string, action: string, reason?: string) {
    super(sentence)
    this.action = action
    this.reason = reason
  }
}

/**
 * The history handed to `restore` ends before what the rows stand for: the runtime reads it again for a while, since a
 * broker that came back shows less than was committed, and then halts with the same sentence.
 */
export class HistoryBehindError extends HaltError {}
