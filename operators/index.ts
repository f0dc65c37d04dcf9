export * from './contract/index.ts'
export { decodeDlms } from './decode-dlms/index.ts'
export { dedupe } from './dedupe.ts'
export {
  exponentialSmoothing,
  ForecastDataError,
  forecast,
  readHolidays,
  readWeather,
  seasonalNaive,
  shareOfWhole,
  structural,
} from './forecast/index.ts'
export { forwardMisplaced } from './forward-misplaced.ts'
export { keepPlaced } from './keep-placed.ts'
export { locate } from './locate.ts'
export { boundContributions } from './privacy/bound-contributions.ts'
export { partialSums } from './privacy/partial-sums.ts'
export { type Period, type PeriodSum, periodSums, periodsThrough } from './privacy/period-sums.ts'
export { pickLedger, pickRestricted } from './privacy/pick-output.ts'
export { pseudonymize } from './privacy/pseudonymize.ts'
export { publish } from './privacy/publish.ts'
export { releaseTotals } from './privacy/release-totals.ts'
export { validate } from './validate.ts'
