/**
 * A promise was broken (a chain with a gap, a key that is gone, a label that disagrees): going on would lose, duplicate or
 * leak. The runtime stops the pipeline and says the sentence; nothing of the batch at hand is written.
 */
export class HaltError extends Error {
  override readonly name = 'HaltError'
  /** What to do next, one sentence. */
  readonly action: string
  constructor(sentence: string, action: string) {
    super(sentence)
    this.action = action
  }
}
