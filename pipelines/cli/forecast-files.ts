import { readFileSync, watchFile } from 'node:fs'
import { type ForecastOptions, readHolidays, readWeather } from '../../operators/forecast/index.ts'
import type { Settings } from '../runtime/settings.ts'
import { usageError } from './errors.ts'

/** How often the file of temperatures is looked at, in milliseconds. */
const lookEveryMs = 60_000

/**
 * What the files of the settings say of holidays and weather. The file of temperatures is read again when it changes; while
 * it holds no temperatures, the last ones that it held stand. Throws a usage error for a file that cannot be read or that
 * does not hold what it should.
 */
export function forecastFiles({
  holidaysFile,
  weatherFile,
}: Pick<Settings, 'holidaysFile' | 'weatherFile'>): Pick<ForecastOptions, 'holidays' | 'weather'> {
  return {
    ...(holidaysFile === undefined ? {} : { holidays: readAs('holidaysFile', holidaysFile, readHolidays) }),
    ...(weatherFile === undefined ? {} : { weather: followed(weatherFile) }),
  }
}

function followed(file: string): NonNullable<ForecastOptions['weather']> {
  let weather = readAs('weatherFile', file, readWeather)
  watchFile(file, { persistent: false, interval: lookEveryMs }, () => {
    try {
      weather = readWeather(readFileSync(file, 'utf8'))
    } catch {
      // Being written at this moment, or gone: forecasts go on with what was known.
    }
  })
  return (at) => weather(at)
}

function readAs<T>(setting: string, file: string, read: (text: string) => T): T {
  try {
    return read(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const said = error instanceof Error ? error.message : String(error)
    const missing = `${file} does not exist`
    const why = code === 'ENOENT' ? missing : code === undefined ? said : `${file} cannot be read (${code})`
    throw usageError(
      `${setting} cannot be used: ${why}.`,
      'Correct the file, or leave the setting out: forecasts do without it.',
    )
  }
}
