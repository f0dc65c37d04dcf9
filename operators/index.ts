export * from './contract/index.ts'
export { type DecodeDlmsOptions, decodeDlms } from './decode-dlms/index.ts'
export { type CompiledProfile, compileProfile, type IntervalProfile } from './decode-dlms/interpret/interval-profile.ts'
export { intervalProfiles } from './decode-dlms/profiles/index.ts'
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
export { type LocateOptions, locate } from './locate.ts'
export { boundContributions } from './privacy/bound-contributions.ts'
export { type ByMonthOptions, kAnonymizeByMonth } from './privacy/k-anonymize/index.ts'
export { partialSums } from './privacy/partial-sums.ts'
export { type Period, type PeriodSum, periodSums, periodsThrough } from './privacy/period-sums.ts'
export { pickLedger, pickRestricted } from './privacy/pick-output.ts'
export { type GeneralAttributes, type PseudonymizeOptions, pseudonymize } from './privacy/pseudonymize.ts'
export { publish } from './privacy/publish.ts'
export { releaseTotals } from './privacy/release-totals.ts'
export { type ValidateOptions, validate } from './validate.ts'
export { utcOf } from './window/utc-of.ts'
