// refused: 'identified' stream cannot reach a topic labelled 'released'
import { pipeline } from '../../../pipelines/runtime/stream.ts'
import { identifiedReadings, publicReadings } from '../given.ts'

pipeline('lifted', { ...identifiedReadings, label: 'released' } as const, (input) => input.to(publicReadings))
