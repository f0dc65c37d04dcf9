import { type ForecastOptions, forecast as forecastLoad } from '../operators/forecast/index.ts'
import { topics } from '../schemas/topics.ts'
import { type Pipeline, pipeline } from './runtime/index.ts'

/** Released load in, forecasts out: nothing but released values is ever read, so it costs no budget. */
export function forecast(options: ForecastOptions): Pipeline {
  return pipeline(
    'forecast',
    topics.loadPublic,
    (load) => {
      load.accumulate(forecastLoad(options)).to(topics.forecastPublic)
    },
    { state: topics.forecastState, replay: true },
  )
}
