import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import type { Report } from '../../bench/report.ts'
import { utilityText } from './utility.ts'

const path = resolve(import.meta.dirname, '../../bench/reports/utility.json')
const { figures } = JSON.parse(readFileSync(path, 'utf8')) as Report
const name = 'real, 30 min, 10,000 homes, smooth: four levels'
const changed = (value: number) => figures.map((each) => (each.name === name ? { ...each, value } : each))

describe('what the page says of utility', () => {
  it('follows the figures of the report', () => {
    assert.match(utilityText(changed(1.2345)), /\| real homes, half hours \| 10,000 \| 1\.2, /)
    assert.match(utilityText(changed(2.3456)), /\| real homes, half hours \| 10,000 \| 2\.3, /)
  })

  it('names a goal that is missed', () => {
    const said = (value: number) => utilityText(changed(value)).replaceAll('\n', ' ')
    assert.ok(!said(3.29).includes(name))
    assert.ok(said(3.31).includes(`${name}, 3.31 % (goal <= 3.3)`))
  })

  it('is not made without a figure that it shows', () => {
    assert.throws(
      () => utilityText(figures.filter((each) => each.name !== name)),
      /has no figure "real, 30 min, 10,000/,
    )
  })
})
