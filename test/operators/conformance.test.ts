import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { memoryKeyring } from '../../connectors/keyring/index.ts'
import { registerView } from '../../connectors/register/index.ts'
import * as contract from '../../operators/contract/index.ts'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { Envelope, Operator } from '../../operators/contract/operator.ts'
import { dedupe } from '../../operators/dedupe.ts'
import { forwardMisplaced } from '../../operators/forward-misplaced.ts'
import * as operators from '../../operators/index.ts'
import { keepPlaced } from '../../operators/keep-placed.ts'
import { locate } from '../../operators/locate.ts'
import { boundContributions } from '../../operators/privacy/bound-contributions.ts'
import { partialSums } from '../../operators/privacy/partial-sums.ts'
import { pickLedger, pickRestricted } from '../../operators/privacy/pick-output.ts'
import { pseudonymize } from '../../operators/privacy/pseudonymize.ts'
import type { ReleaseOutput } from '../../operators/privacy/release-totals.ts'
import { validate } from '../../operators/validate.ts'
import { type OperatorUnderTest, operatorChecks, operatorConformance } from '../conformance/operator.ts'
import { at } from './harness.ts'
import { boundedReadings, clip, freshReadings, locatedFrames, meterFrames, meterReadings, meters } from './streams.ts'

const register = registerView(
  meters
    .slice(0, 3)
    .concat(meters[3] ?? [])
    .filter(({ index }) => index !== 2),
)
const keyring = memoryKeyring({ master: Buffer.alloc(32, 7) })
const generalise = () => ({ area: '*', tariff: '*', heating: '*', dwelling: '*' })

const each = { accounting: 'each', order: 'kept' } as const

operatorConformance('locate', { ...each, make: () => locate({ register }), inputs: meterFrames })
operatorConformance('keepPlaced', { ...each, make: keepPlaced, inputs: locatedFrames })
operatorConformance('forwardMisplaced', {
  accounting: 'selects',
  order: 'kept',
  make: forwardMisplaced,
  inputs: locatedFrames,
})
operatorConformance('validate', {
  ...each,
  make: () => validate({ frozenIntervals: 2 }),
  inputs: meterReadings,
})
operatorConformance('dedupe', {
  ...each,
  make: dedupe,
  inputs: meterReadings,
  context: { floor: at('2026-03-01T00:00Z') },
})
operatorConformance('boundContributions', {
  ...each,
  make: () => boundContributions({ clip, windowSeconds: 1_800 }),
  inputs: freshReadings,
})
operatorConformance('partialSums', {
  accounting: 'folds',
  order: 'kept',
  make: () => partialSums(),
  inputs: boundedReadings,
})
operatorConformance('pseudonymize', {
  accounting: 'each',
  order: 'sorted',
  make: () => pseudonymize({ keyring, generalise }),
  inputs: freshReadings,
})

const releaseOutputs = fc.array(fc.boolean()).map((kinds) =>
  kinds.map((isLedger, at): Envelope<ReleaseOutput> => {
    // The picks look at the kind only.
    const value = { to: isLedger ? 'ledger' : 'restricted', record: { at } } as unknown as ReleaseOutput
    return { value, origin: { topic: 'load.partials', partition: 0, offset: BigInt(at), receivedAt: at } }
  }),
)
operatorConformance('pickLedger', { accounting: 'selects', order: 'kept', make: pickLedger, inputs: releaseOutputs })
operatorConformance('pickRestricted', {
  accounting: 'selects',
  order: 'kept',
  make: pickRestricted,
  inputs: releaseOutputs,
})

/** Where the operators that do not run above have their suite: one is slow, the others keep snapshots instead of cells. */
const elsewhere: Readonly<Record<string, string>> = {
  decodeDlms: 'decode-dlms/batches.property.ts',
  releaseTotals: 'privacy/release-totals.property.ts',
  publish: 'privacy/publish.test.ts',
  forecast: 'forecast/index.test.ts',
}
/**
 * What the barrel holds beside operators: models and data of `forecast`, parts of `decodeDlms` and `pseudonymize`, sums of
 * released values, and what the contract gives.
 */
const noOperators: readonly string[] = [
  'compileProfile',
  'intervalProfiles',
  'kAnonymizeByMonth',
  'utcOf',
  'exponentialSmoothing',
  'ForecastDataError',
  'readHolidays',
  'readWeather',
  'seasonalNaive',
  'shareOfWhole',
  'structural',
  'periodSums',
  'periodsThrough',
  ...Object.keys(contract),
]

test('every operator that the package offers has its suite', () => {
  const here = readFileSync(import.meta.filename, 'utf8')
  for (const name of Object.keys(operators).filter((each) => !noOperators.includes(each))) {
    const file = elsewhere[name]
    const text = file === undefined ? here : readFileSync(join(import.meta.dirname, file), 'utf8')
    assert.match(text, new RegExp(file === undefined ? `operatorConformance\\('${name}'` : `\\b${name}\\b`), name)
  }
})

test('the package offers no way to lift a label', () => {
  assert.deepEqual(
    Object.keys(operators).filter((name) => /lowering$/i.test(name)),
    [],
  )
})

describe('the conformance suite of operators catches one that', () => {
  const spec = { name: 'planted', drops: ['duplicate'], rejects: [] } as const
  type Step = Operator<MeterReadings, unknown>
  const planted: readonly { readonly name: string; readonly check: string; readonly process: Step['process'] }[] = [
    {
      name: 'drops for a reason it does not declare',
      check: 'uses declared reasons only',
      process: (batch, out) => batch.forEach((record) => void out.drop(record, 'too_late')),
    },
    {
      name: 'loses a record',
      check: 'ends every record in exactly one outcome',
      process: (batch, out) => batch.slice(1).forEach((record) => void out.emit(record, 0)),
    },
    {
      name: 'emits and drops a record',
      check: 'ends every record in exactly one outcome',
      process: (batch, out) =>
        batch.forEach((record) => {
          out.emit(record, 0)
          out.drop(record, 'duplicate')
        }),
    },
    {
      name: 'invents an origin',
      check: 'ends every record in exactly one outcome',
      process: (batch, out) => batch.forEach((record) => void out.emit({ ...record }, 0)),
    },
    {
      name: 'turns the order round',
      check: 'keeps the order of its input',
      process: (batch, out) => batch.toReversed().forEach((record) => void out.emit(record, 0)),
    },
    {
      name: 'lets a batch decide',
      check: 'gives the same however the stream is cut into batches',
      process: (batch, out) => batch.forEach((record) => void out.emit(record, batch.length)),
    },
    {
      name: 'changes its input',
      check: 'leaves its input as it was',
      process: (batch, out) =>
        batch.forEach((record) => {
          Object.assign(record.value, { touched: true })
          out.emit(record, 0)
        }),
    },
    {
      name: 'reads the clock',
      check: 'asks no clock',
      process: (batch, out) => batch.forEach((record) => void out.emit(record, Date.now())),
    },
    {
      name: 'emits out of nothing',
      check: 'takes an empty batch',
      process: (_, out, { whole }) => void out.emit(whole, 0),
    },
  ]
  const caught = (subject: OperatorUnderTest<MeterReadings>, name: string): boolean => {
    const check = operatorChecks.find((one) => one.name === name)
    assert.ok(check !== undefined, `there is no check "${name}"`)
    const property = fc.property(subject.inputs, fc.nat(20), (inputs, cut) => check.run(subject, inputs, cut))
    return fc.check(property, { numRuns: 100 }).failed
  }
  for (const { name, check, process } of planted) {
    test(name, () => {
      assert.ok(caught({ ...each, make: () => ({ spec, process }), inputs: meterReadings }, check))
    })
  }

  test('keeps state beside its cells', () => {
    const make = () => {
      const seen: unknown[] = []
      const process: Step['process'] = (batch, out) =>
        batch.forEach((record) => void out.emit(record, seen.push(record)))
      return { spec, process }
    }
    const check = 'gives the same when a batch runs again before its commit'
    assert.ok(caught({ ...each, make, inputs: meterReadings }, check))
  })

  test('lets the order of arrival show', () => {
    const process: Step['process'] = (batch, out) => batch.forEach((record) => void out.emit(record, record.value))
    const subject = {
      accounting: 'each',
      order: 'sorted',
      make: () => ({ spec, process }),
      inputs: meterReadings,
    } as const
    assert.ok(caught(subject, 'sorts what it does not keep in order: the order of arrival leaves no trace'))
  })

  test('declares a drop as a reject', () => {
    const wrong = { name: 'planted', drops: [], rejects: ['duplicate'] } as const
    const make = () => ({ spec: wrong, process: () => {} })
    assert.ok(caught({ ...each, make, inputs: meterReadings }, 'declares a name and reasons of the right outcome'))
  })
})
