import { forecast } from '../../../operators/forecast/index.ts'
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topics } from '../../../schemas/topics.ts'

declare const load: Stream<LoadPublic, 'released'>

load.accumulate(forecast({ timeZone: 'Europe/London' })).to(topics.forecastPublic)
