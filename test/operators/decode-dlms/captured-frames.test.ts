// Every captured frame gives the facts of its `expect`, one test a file.
//
// Compared, key by key and to the last element: frames, wrapper, gbtBlocks, gbtRestarted, incomplete, validFrames, tagVerifiesOnlyWithEmptyAad, error,
// and of messages everything: apdu, security (title, control, counter, tagOk), plaintext, invokeId, dateTime, quirk, layout, association fields, blocks,
// results, and of each value obis, index, classId, attribute, type, raw, scaler, unit, value, hex. A key of `expect` that the decoder does not give fails.
//
// Not compared, and why:
//   by, sourceStates, sourceValue   say who states a value, not what the bytes hold
//   rows, rowsNote                  need the capture period, which a buffer does not carry: see profile-rows.test.ts
//   errorOptional                   an identical repetition of a block may be dropped (trap 25): then there is no error and the message is whole
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expectationOf, type Json } from '../../../operators/decode-dlms/expect.ts'
import { type CapturedFrame, frameFiles, framesOf } from './frames.ts'

const ignored = new Set(['by', 'sourceStates', 'sourceValue', 'rows', 'rowsNote', 'errorOptional'])

function comparable(facts: Json): Json {
  if (Array.isArray(facts)) return facts.map(comparable)
  if (facts === null || typeof facts !== 'object') return facts
  return Object.fromEntries(
    Object.entries(facts)
      .filter(([key]) => !ignored.has(key))
      .map(([key, value]) => [key, comparable(value)]),
  )
}

function check(frame: CapturedFrame): void {
  const wanted = comparable(frame.expect) as { readonly [key: string]: Json }
  const given = comparable(expectationOf(frame)) as { readonly [key: string]: Json }
  if (frame.expect['errorOptional'] === true) {
    assert.equal(given['error'], undefined, `${frame.id}: a dropped repetition is no error`)
    assert.deepEqual(given['validFrames'], wanted['validFrames'], frame.id)
    return
  }
  for (const key of Object.keys(wanted)) assert.deepEqual(given[key], wanted[key], `${frame.id}: ${key}`)
  // What the file leaves out must not be claimed either. (validFrames are given for every HDLC capture; the files state them for damaged ones.)
  for (const key of [
    'frames',
    'error',
    'incomplete',
    'gbtBlocks',
    'gbtRestarted',
    'wrapper',
    'tagVerifiesOnlyWithEmptyAad',
  ]) {
    assert.equal(key in given, key in wanted, `${frame.id}: ${key} is claimed by one side only`)
  }
}

describe('captured frames', () => {
  let count = 0
  for (const file of frameFiles) {
    it(`of ${file}.json give their expected facts`, () => {
      const frames = framesOf(file)
      for (const frame of frames) check(frame)
      count += frames.length
    })
  }

  it('are 188 in 14 files', () => {
    assert.equal(frameFiles.length, 14)
    assert.equal(count, 188)
  })

  it('drop an identical repetition of a block instead of appending it', () => {
    const repeated = framesOf('malformed').find(({ id }) => id === 'drv-gbt-dup-block2') as CapturedFrame
    const original = framesOf('landis-gyr').find(({ id }) => id === 'hdlc_landis_gyr_e450') as CapturedFrame
    assert.deepEqual(expectationOf(repeated)['messages'], comparable(expectationOf(original)['messages'] as Json))
  })

  it('fail the comparison when one digit of one value differs', () => {
    const frame = framesOf('aidon')[0] as CapturedFrame
    const text = JSON.stringify(frame.expect).replace('"value":"1362"', '"value":"1363"')
    assert.notEqual(text, JSON.stringify(frame.expect))
    assert.throws(() => check({ ...frame, expect: JSON.parse(text) as CapturedFrame['expect'] }), /messages/)
  })
})
