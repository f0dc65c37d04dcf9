import type { Register } from '../operators/contract/register.ts'
import { type ForecastOptions, forecast as forecastLoad } from '../operators/forecast/index.ts'
import { levels } from '../schemas/register-entry.ts'
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

/**
 * The groups that others are parts of, from the public groups of the register: for records that do not name them, which
 * older releases wrote.
 */
export function parentsIn(register: Pick<Register, 'groups'>): NonNullable<ForecastOptions['parentOf']> {
  const parents = new Map(
    levels.map((level) => [level, new Map(register.groups(level).map(({ group, parent }) => [group, parent]))]),
  )
  return ({ level, group }) => parents.get(level)?.get(group)
}
