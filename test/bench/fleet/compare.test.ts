import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { compareWith, comparisonTable } from '../../../bench/fleet/compare.ts'

const beside = new URL('../../../../shared/load-data/london-100-halfhourly-2013.csv.gz', import.meta.url)
const path = process.env['METERVEIL_LOAD_DATA'] ?? fileURLToPath(beside)
const skip = existsSync(path)
  ? false
  : 'needs data outside the repository: set METERVEIL_LOAD_DATA to the CSV.gz file of real loads'

/** Ratio of the synthetic set to the real one that is still a resemblance. */
const near = (real: number, synthetic: number, within: number, what: string) =>
  assert.ok(synthetic / real > 1 - within && synthetic / real < 1 + within, `${what}: ${real} against ${synthetic}`)

test('the load model resembles a real set of homes', { skip }, () => {
  const { real, synthetic } = compareWith(path, 7)
  near(real.meanDayKwh, synthetic.meanDayKwh, 0.12, 'mean day')
  for (const name of ['halfHourWh', 'dayWh', 'dayNormWh', 'homeMeanDayWh'] as const) {
    real[name].forEach((value, i) => {
      // the lowest quantiles hang on a few nearly empty homes of a hundred
      near(value, synthetic[name][i] as number, i === 0 ? 0.6 : 0.3, `${name} ${i}`)
    })
  }
  real.autocorrelation.forEach((value, i) => {
    near(value, synthetic.autocorrelation[i] as number, 0.2, `autocorrelation ${i}`)
  })
  near(real.eveningShare, synthetic.eveningShare, 0.2, 'evening share')
  near(real.nightShare, synthetic.nightShare, 0.2, 'night share')
  near(real.weekendRatio, synthetic.weekendRatio, 0.05, 'weekend')
  near(real.winterRatio, synthetic.winterRatio, 0.15, 'winter')
  near(real.coincidence, synthetic.coincidence, 0.1, 'coincidence')
  near(real.dayVariation, synthetic.dayVariation, 0.2, 'variation of days')
  assert.equal(comparisonTable(real, synthetic).split('\n').length, 36)
})
