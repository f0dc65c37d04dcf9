import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { forecastFiles } from '../../../pipelines/cli/forecast-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-forecast-files-'))
after(() => rmSync(folder, { recursive: true }))
const fileOf = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const none = { holidaysFile: undefined, weatherFile: undefined }

describe('files for forecasts', () => {
  it('need not be there', () => {
    assert.deepEqual(forecastFiles(none), {})
  })

  it('say what days are holidays and how warm it is', () => {
    const { holidays, weather } = forecastFiles({
      holidaysFile: fileOf('holidays.json', '{ "name": "here", "dates": ["2026-12-25"] }'),
      weatherFile: fileOf('weather.csv', 'time,celsius\n2026-01-12T00:00Z,4\n2026-01-12T01:00Z,6\n'),
    })
    assert.ok(holidays?.has('2026-12-25'))
    assert.equal(weather?.(Date.parse('2026-01-12T00:30Z')), 5)
  })

  it('are refused with the setting and the reason', () => {
    const missing = join(folder, 'nowhere.csv')
    assert.throws(
      () => forecastFiles({ ...none, weatherFile: missing }),
      /weatherFile cannot be used: \S+nowhere\.csv does not exist/,
    )
    const wrong = fileOf('wrong.json', '[]')
    assert.throws(() => forecastFiles({ ...none, holidaysFile: wrong }), /holidaysFile cannot be used: dates must be/)
  })
})
