import type { Settings } from '../runtime/settings.ts'

/** What `run` says of settings that are allowed, but that a reader may not have meant, for the named pipelines. */
export function startNotes(settings: Settings, pipelines: readonly string[]): readonly string[] {
  const { kafka, mode, ledgerPinFile, attributesSince, groupPartitions } = settings
  const notes: string[] = []
  if (kafka && mode === 'production' && pipelines.includes('load') && ledgerPinFile === undefined) {
    notes.push(
      'Warning: the head of the ledger is not pinned: a release.ledger that is rolled back or replaced would not be noticed. Set ledgerPinFile.',
    )
  }
  if (pipelines.includes('readings') && attributesSince === undefined) {
    notes.push('Note: attributes are told of no household: set attributesSince to tell them from a month on.')
  }
  if (pipelines.includes('forecast') && groupPartitions > 1) {
    notes.push(
      `Note: forecasts of a whole and its parts need not add up: groupPartitions is ${groupPartitions}, and each partition is forecast by itself.`,
    )
  }
  return notes
}
