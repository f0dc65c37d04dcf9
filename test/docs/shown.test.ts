// Figures and lines that pages state in running text, worked out or printed anew.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { gaussianToDelta, rational } from 'diffprivlib-ts'
import type { Report } from '../../bench/report.ts'
import { defaultPolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { shippedRules } from '../../operators/privacy/release/rules/shipped.ts'
import { selectionTerms } from '../../operators/privacy/release/selection-terms.ts'
import { exported } from '../../pipelines/cli/demo-export.ts'
import { readSettings } from '../../pipelines/runtime/settings.ts'
import { frameFiles } from '../operators/decode-dlms/frames.ts'
import { meterveil } from '../pipelines/cli/command.ts'

/** What a file of frames says of where a frame comes from. */
interface FrameMarks {
  readonly provenance: 'both' | 'hand-verified' | 'source-stated'
  readonly derivedFrom?: string
}

const root = resolve(import.meta.dirname, '../..')
/** A page as running text: where its lines break says nothing. */
const page = (name: string): string => readFileSync(join(root, name), 'utf8').replaceAll(/\s+/g, ' ')

function states(name: string, sentence: string): void {
  assert.ok(page(name).includes(sentence), `${name} should say: ${sentence}`)
}

/**
 * How often, in 100 cases, the best guess is right at most, of a secret with two equally likely values, from Gaussian noise of
 * mu^2 = 2 rho after so many days; `apart` is the distance of the two values in bounds S. 1/2 + TV / 2, and the total
 * variation TV is delta at epsilon 0.
 */
function bestGuess(days: number, apart = 1): string {
  const muSquared = rational.mul(rational.integer(2 * days * apart ** 2), resolvePolicy(defaultPolicy).rho)
  return (50 + 50 * rational.toNumber(gaussianToDelta(muSquared, rational.zero), 'up')).toFixed(1)
}

describe('what epsilon buys, on the page for analysts', () => {
  const { rho, levels } = resolvePolicy(defaultPolicy)
  const { epsilonDay, epsilonWeek, epsilonYear } = levels.utility.statement[1]
  const cases: readonly (readonly [what: string, sentence: string])[] = [
    ['the budget', `The budget is epsilon ${epsilonDay.toFixed(0)} at delta 1e-6`],
    ['epsilon by itself', `right in more than ${((100 * Math.E) / (1 + Math.E)).toFixed(1)} of 100 cases: e / (1 + e)`],
    ['mu of a day', `which is mu = ${Math.sqrt(2 * rational.toNumber(rho, 'up')).toFixed(3)} `],
    ['a day', `right in at most **${bestGuess(1)} of 100** cases`],
    ['two different days', `Then it is at most ${bestGuess(1, 2)} of 100`],
    [
      'seven days and a year',
      `Seven days come to epsilon ${epsilonWeek.toFixed(2)}, and a year of 366 days to **epsilon ${epsilonYear.toFixed(1)}**`,
    ],
    [
      'days added up',
      `${bestGuess(7)} of 100 cases for a week, ${bestGuess(30)} for 30 days and ${bestGuess(366)} for a year`,
    ],
  ]
  for (const [what, sentence] of cases) test(what, () => states('docs/analyst.md', sentence))

  test('the fewest points of a group', () => {
    const { stdout } = meterveil(['rules', 'show', 'neutral'])
    const least = (level: string) => new RegExp(`^${level} +([\\d,]+)$`, 'm').exec(stdout)?.[1] ?? ''
    const rounded = (level: string) =>
      (Math.round(Number(least(level).replace(',', '')) / 100) * 100).toLocaleString('en-GB')
    states(
      'docs/analyst.md',
      `from about ${rounded('feeder')} registered points (a feeder) to ${rounded('utility')} (the utility) on`,
    )
  })
})

test('how many frames there are, and who says what they hold', () => {
  const marks = frameFiles.flatMap(
    (file) =>
      JSON.parse(readFileSync(join(root, `test/fixtures/frames/${file}.json`), 'utf8')) as readonly FrameMarks[],
  )
  const altered = marks.filter(({ derivedFrom }) => derivedFrom !== undefined).length
  const stated = marks.filter(({ provenance }) => provenance !== 'hand-verified').length
  states(
    'README.md',
    `| ${marks.length - altered} frames from public sources and ${altered} altered copies of some of them`,
  )
  states('README.md', `${stated} of them as their sources state`)
})

describe('what the selection of groups takes, on the page for operators', () => {
  test('the households at which a group is shown as often as not', () => {
    const { share, delta } = readSettings({ env: { METERVEIL_SELECTION_PRE_THRESHOLD: '100' } }).policy.selection!
    const parsed = { cap: rational.parse(defaultPolicy.rhoPerDay), share: rational.parse(share) }
    const terms = selectionTerms(parsed.cap, parsed.share, rational.parse(delta))
    const epsilon = rational.toNumber(terms.epsilon, 'down')
    const ofDelta = rational.toNumber(terms.delta, 'down')
    // Where delta (e^(n epsilon) - 1) / (e^epsilon - 1) comes to 1/2 (Desfontaines and others 2022).
    const above = Math.log1p(Math.expm1(epsilon) / (2 * ofDelta)) / epsilon
    states('docs/operator.md', `about ${Math.round(above / 100) * 100} households more than that`)
  })

  test('the rules that it goes with', () => {
    const without = [...shippedRules].filter(([, { coarser }]) => coarser.length === 0).map(([name]) => name)
    assert.deepEqual(without, ['neutral'])
    states('docs/operator.md', 'Of the rule sets that are shipped, it works with `neutral` alone')
  })
})

test('the README names the topics that the demo writes', () => {
  const names = exported.map(({ name }) => `\`${name}\``)
  states('README.md', `${names.slice(0, -1).join(', ')} and ${names.at(-1)} lie as NDJSON`)
})

test('the epoch that policy propose prints stands on the page for operators', () => {
  const { code, stdout } = meterveil(['policy', 'propose', '--homes', 'feeder=3000', '--from', '2027-01-01'])
  assert.equal(code, 0)
  const lines = stdout.split('\n')
  const at = lines.findIndex((line) => line.startsWith('To take it over'))
  states('docs/operator.md', lines.slice(at, at + 2).join(' '))
})

test('frames a second of one and of two threads are those of the last bench', () => {
  const { figures } = JSON.parse(readFileSync(join(root, 'bench/reports/kafka-readings.json'), 'utf8')) as Report
  const figure = (name: string): string => {
    const value = figures.find((one) => one.name === name)!.value
    return Number(value.toPrecision(3)).toLocaleString('en-GB')
  }
  const [one, two] = [figure('frames per second, threads 1'), figure('frames per second, threads 2')]
  states('docs/operator.md', `two threads took ${two} frames a second and one took ${one}.`)
  assert.equal(figure('frames per second of one process'), two, 'the README calls the best that of two threads')
})
