// refused: 'aggregate' stream cannot reach a topic labelled 'released'
import { forecast } from '../../../operators/forecast/index.ts'
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topics } from '../../../schemas/topics.ts'

declare const exact: Stream<LoadPublic, 'aggregate'>

exact.accumulate(forecast({ timeZone: 'Europe/London' })).to(topics.forecastPublic)
