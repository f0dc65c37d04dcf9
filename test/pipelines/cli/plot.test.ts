import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linePlot } from '../../../pipelines/cli/plot.ts'
import { columns } from '../../../pipelines/cli/text.ts'

const ramp = Array.from({ length: 48 }, (_, at) => 1_000 + at * 100)

test('a rising line rises from the lower left to the upper right', () => {
  const rows = linePlot({ series: [{ name: 'true', values: ramp }], width: 60, height: 9, unit: 'kWh' })
  const area = rows.slice(1, 10).map((row) => row.slice(row.search(/[│┤]/) + 1))
  const first = area.findIndex((row) => row.startsWith('●'))
  const last = area.findIndex((row) => row.trimEnd().length === Math.max(...area.map((one) => one.trimEnd().length)))
  assert.ok(first > last, rows.join('\n'))
  assert.match(rows[0] as string, /kWh/)
})

test('stays inside 80 columns, whatever the values', () => {
  const cases = [
    [0],
    [-5, 5],
    [1e9, 2e9],
    [0.001, 0.002],
    [3, 3, 3],
    ramp,
    Array.from({ length: 3_000 }, (_, at) => at % 97),
  ]
  for (const values of cases) {
    for (const paints of [undefined, [(text: string) => `\u001b[36m${text}\u001b[39m`]]) {
      const rows = linePlot({ series: [{ name: 'a', values }], ...(paints ? { paints } : {}) })
      assert.ok(Math.max(...rows.map(columns)) <= 80, rows.join('\n'))
    }
  }
})

test('tells series apart without colours, and names them', () => {
  const rows = linePlot({
    series: [
      { name: 'true', values: ramp },
      { name: 'released', values: ramp.map((value) => value / 2) },
    ],
    band: { name: '95 %', lower: ramp.map((value) => value * 1.2), upper: ramp.map((value) => value * 1.4) },
  })
  assert.match(rows.join('\n'), /●[\s\S]*×/)
  assert.match(rows.at(-1) as string, /● true {3}× released {3}░ 95 %/)
})

test('draws braille dots with colours', () => {
  const rows = linePlot({ series: [{ name: 'a', values: ramp }], paints: [(text) => text] })
  assert.match(rows.join(''), /[\u2801-\u28ff]/)
})

test('names only what is drawn', () => {
  const series = [
    { name: 'true', values: ramp },
    { name: 'released', values: ramp.map(() => undefined) },
  ]
  assert.match(linePlot({ series }).at(-1) as string, /● true$/)
})

test('leaves a gap where values are missing', () => {
  const values = ramp.map((value, at) => (at > 15 && at < 32 ? undefined : value))
  const row = linePlot({ series: [{ name: 'a', values: values.map((v) => (v === undefined ? v : 7)) }] }).find((one) =>
    one.includes('●'),
  )
  assert.match(row as string, /●+ {15,}●+/)
})

test('writes tick labels under their place, and drops those that would overlap', () => {
  const ticks = [0, 1, 24, 47].map((at) => ({ at, label: `${at}h` }))
  const rows = linePlot({ series: [{ name: 'a', values: ramp }], ticks })
  assert.match(rows.at(-2) as string, /0h +24h +47h/)
})

test('says so when there is nothing to plot', () => {
  assert.deepEqual(linePlot({ series: [{ name: 'a', values: [undefined, Number.NaN] }] }), ['(nothing to plot)'])
})
