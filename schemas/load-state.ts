/**
 * `load.state` (pseudonymous, compacted): one open window's sums, or the row `head` with the exact offsets they stand for.
 * A row is written in the transaction of what it describes; a tombstone closes a window.
 */
export interface LoadState {
  /** `head`, or the start of the window as ISO 8601 with its channel. */
  readonly row: string
  /** The row's content: JSON in a form that its owner, operators/privacy/release-totals, reads. */
  readonly body: Uint8Array
}
