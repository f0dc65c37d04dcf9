import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryKeyring } from '../../../connectors/keyring/index.ts'
import type { LocatedFrame } from '../../../operators/contract/located-frame.ts'
import type { MeterReadings } from '../../../operators/contract/meter-readings.ts'
import type { Envelope } from '../../../operators/contract/operator.ts'
import { type DecodeDlmsOptions, decodeDlms, decodeDlmsSpec } from '../../../operators/decode-dlms/index.ts'
import { intervalProfiles } from '../../../operators/decode-dlms/profiles/index.ts'
import { qualityBits } from '../../../schemas/interval-reading.ts'
import type { Transport } from '../../../schemas/meter-frame.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { type CellStore, emitted, entryOf, runBatch, summary, whole } from '../harness.ts'
import { bytes, generalGlo, hdlc, hex, joined, keysFor, mbus, sized, testKeys, wrapper } from './make.ts'

const keys = keysFor(0)
const known: ReadonlySet<string> = new Set(['known', 'renewed'])
const options: DecodeDlmsOptions = {
  keyring: {
    ...memoryKeyring({ master: new Uint8Array(32).fill(1) }),
    meterKeys: (reference) => (known.has(reference) ? { authentication: undefined, ...keys } : undefined),
  },
  profiles: intervalProfiles,
}
const entry = entryOf(1, { systemTitle: hex(testKeys.title), keyRef: 'known', profile: 'interval-30min' })
const receivedAt = Date.UTC(2026, 2, 29, 12)

/** A push of one half hour that ended at 12:30 local, UTC+02:00: clock, 500 Wh, register 10,000,000 Wh. */
function push(clock = '07ea031d070c1e0000ff8880', wattHours = '000001f4'): Uint8Array {
  return bytes(
    `0f 00000001 00 0103 0202 09060000010000ff 090c${clock}
     0203 09060100011d00ff 06${wattHours} 0202 0f00 161e 0203 09060100010800ff 0600989680 0202 0f00 161e`,
  )
}

function frame(
  unit: Uint8Array,
  transport: Transport = 'wrapper',
  other: Partial<RegisterEntry> = {},
  seconds = 0,
): Envelope<LocatedFrame> {
  const value: LocatedFrame = {
    entry: Object.keys(other).length === 0 ? entry : { ...entry, ...other },
    frame: { connection: entry.connection, listener: 'test', zone: entry.zone, transport, forwarded: 0, bytes: unit },
    misplaced: false,
  }
  return { value, origin: { ...whole.origin, receivedAt: receivedAt + seconds * 1_000 } }
}

function run(
  batch: readonly Envelope<LocatedFrame>[],
  store: CellStore = new Map(),
  with_: Partial<DecodeDlmsOptions> = {},
) {
  return runBatch(decodeDlms({ ...options, ...with_ }), batch, { store })
}

const good = (counter: number, plaintext = push()): Uint8Array => wrapper(generalGlo(plaintext, 0x30, counter))

describe('decodeDlms', () => {
  it('emits the readings of a push with the trust they deserve', () => {
    const [readings] = emitted<MeterReadings>(run([frame(good(7))]))
    assert.deepEqual(readings, {
      entry,
      readings: [
        {
          channel: 'import',
          start: Date.UTC(2026, 2, 29, 10),
          durationSeconds: 1_800,
          energyWh: 500,
          quality: 0,
          registerWh: 10_000_000,
        },
      ],
      trust: { protection: 'authenticated-encrypted', tagVerified: true, counter: 7 },
    })
  })

  const half = good(20).length >> 1
  const llc = bytes('e6e700')
  const apdu = generalGlo(push(), 0x30, 30)
  const block = (number: number, data: Uint8Array, last: boolean): Uint8Array =>
    wrapper(joined(Uint8Array.of(0xe0, last ? 0xc0 : 0x40, 0, number, 0, 0), sized(data)))
  const cases: readonly (readonly [string, readonly Envelope<LocatedFrame>[], readonly string[]])[] = [
    ['the same frame again', [frame(good(7)), frame(good(7))], ['emit', 'duplicate']],
    [
      'the same counter with other content',
      [frame(good(7)), frame(good(7, push(undefined, '000001f5')))],
      ['emit', 'invocation_counter_replayed'],
    ],
    ['a late retry within the window', [frame(good(107)), frame(good(7))], ['emit', 'emit']],
    ['a counter below the window', [frame(good(135)), frame(good(7))], ['emit', 'invocation_counter_replayed']],
    [
      'a forged counter, which must not mute the meter',
      [frame(forged(0xffff_fff0)), frame(good(7))],
      ['authentication_failed', 'emit'],
    ],
    ['a frame without protection', [frame(wrapper(push()))], ['protection_too_weak']],
    ['a frame that is only encrypted', [frame(wrapper(generalGlo(push(), 0x20, 7)))], ['protection_too_weak']],
    [
      'a frame of another meter',
      [frame(wrapper(generalGlo(push(), 0x30, 7, 0xdb, bytes('4d4d4d0000000009'))))],
      ['title_mismatch'],
    ],
    ['a meter without keys', [frame(good(7), 'wrapper', { keyRef: 'lost' })], ['key_unknown']],
    ['a profile that nobody has', [frame(good(7), 'wrapper', { profile: 'none' })], ['profile_unknown']],
    ['a push without interval energy', [frame(good(7, bytes('0f 00000001 00 1105')))], ['obis_unmapped']],
    [
      'a message in two HDLC segments',
      [
        frame(hdlc(joined(llc, apdu.subarray(0, half)), { segmented: true }), 'hdlc'),
        frame(hdlc(apdu.subarray(half)), 'hdlc'),
      ],
      ['part_of_message', 'emit'],
    ],
    [
      'a message in two M-Bus frames',
      [frame(mbus(apdu.subarray(0, half), 0x00), 'mbus'), frame(mbus(apdu.subarray(half), 0x11), 'mbus')],
      ['part_of_message', 'emit'],
    ],
    [
      'a message in two blocks',
      [frame(block(1, apdu.subarray(0, half), false)), frame(block(2, apdu.subarray(half), true))],
      ['part_of_message', 'emit'],
    ],
    ['the second block alone', [frame(block(2, apdu.subarray(half), true))], ['block_missing']],
    [
      'a second block that comes too late',
      [frame(block(1, apdu.subarray(0, half), false)), frame(block(2, apdu.subarray(half), true), 'wrapper', {}, 121)],
      ['part_of_message', 'block_missing'],
    ],
    ['an HDLC frame without contents', [frame(hdlc(new Uint8Array(0), { control: 0x73 }), 'hdlc')], ['link_only']],
    [
      'an answer to an association',
      [frame(bytes('61 1f a109060760857405080101 a203020100 a305a103020100 be06 0404 0e010602'), 'apdu')],
      ['association_event'],
    ],
    ['an exception', [frame(bytes('d8 01 02'), 'apdu')], ['exception_event']],
    ['an event of the meter', [frame(good(7, bytes('c2 00 0003 0100010800ff 02 0600000001')))], ['notification_event']],
    [
      'a request to do something',
      [frame(bytes('c1 01 c1 0046 0000600a00ff 02 00 0300'), 'apdu')],
      ['apdu_out_of_scope'],
    ],
  ]
  for (const [what, batch, outcomes] of cases) {
    it(`tells what becomes of ${what}`, () => {
      const store: CellStore = new Map()
      const together = run(batch)
      assert.deepEqual(summary(together), outcomes)
      const oneByOne = batch.flatMap((record) => run([record], store))
      assert.deepEqual(summary(oneByOne), outcomes, 'in batches of one')
    })
  }

  it('starts a new window for a new key at the same point', () => {
    const store: CellStore = new Map()
    assert.deepEqual(summary(run([frame(good(500))], store)), ['emit'])
    assert.deepEqual(summary(run([frame(good(3))], store)), ['invocation_counter_replayed'])
    assert.deepEqual(summary(run([frame(good(3), 'wrapper', { keyRef: 'renewed' })], store)), ['emit'])
  })

  it('flags what the meter says about its clock, and what no tag vouches for', () => {
    const [doubtful] = emitted<MeterReadings>(run([frame(good(7, push('07ea031d070c1e0000ff8883')))]))
    assert.equal(doubtful?.readings[0]?.quality, qualityBits.clockInvalid | qualityBits.clockDoubtful)
    const encrypted = frame(wrapper(generalGlo(push(), 0x20, 7)), 'wrapper', { protection: 'encrypted' })
    const [unverified] = emitted<MeterReadings>(run([encrypted]))
    assert.equal(unverified?.readings[0]?.quality, qualityBits.unauthenticated)
    assert.deepEqual(unverified?.trust, { protection: 'encrypted', tagVerified: false, counter: 7 })
  })

  it('asks for the time zone of the site where the meter leaves the deviation open', () => {
    const open = frame(good(7, push('07ea031d070c1e0000800080')))
    assert.deepEqual(summary(run([open])), ['time_invalid'])
    const asked: string[] = []
    const utcOf = (zone: string, local: number): number => {
      asked.push(zone)
      return local - 3_600_000
    }
    const [found] = emitted<MeterReadings>(run([open], new Map(), { utcOf }))
    assert.deepEqual(asked, ['Europe/London'])
    assert.equal(found?.readings[0]?.start, Date.UTC(2026, 2, 29, 11))
    assert.equal(found?.readings[0]?.quality, qualityBits.deviationUnspecified)
  })

  it('does not put an old ciphered block before the last one of a new message', () => {
    const blocks = (wattHours: string, counter: number): readonly Uint8Array[] => {
      const plaintext = push(undefined, wattHours)
      const cut = plaintext.length - 40
      return [plaintext.subarray(0, cut), plaintext.subarray(cut)].map((data, k) => {
        const control = k === 0 ? 0x40 : 0xc0
        return wrapper(generalGlo(joined(Uint8Array.of(0xe0, control, 0, k + 1, 0, 0), sized(data)), 0x30, counter + k))
      })
    }
    const [first, second] = blocks('000001f4', 10) as [Uint8Array, Uint8Array]
    const [third, fourth] = blocks('00000200', 12) as [Uint8Array, Uint8Array]
    const honest = [frame(first), frame(second), frame(third), frame(fourth)]
    assert.deepEqual(summary(run(honest)), ['part_of_message', 'emit', 'part_of_message', 'emit'])
    const spliced = [frame(first), frame(second), frame(first), frame(fourth)]
    assert.deepEqual(summary(run(spliced)), ['part_of_message', 'emit', 'duplicate', 'block_missing'])
    const resent = [frame(first), frame(first), frame(second)]
    assert.deepEqual(summary(run(resent)), ['part_of_message', 'duplicate', 'emit'])
  })

  it('has no state for a meter of which nothing was verified and nothing waits', () => {
    const store: CellStore = new Map()
    run([frame(forged(9)), frame(wrapper(push())), frame(bytes('d8 01 02'), 'apdu')], store)
    assert.equal(store.size, 0)
  })

  it('drops and rejects only under reasons of its spec', () => {
    const declared = new Set<string>([...decodeDlmsSpec.drops, ...decodeDlmsSpec.rejects])
    for (const [, batch] of cases)
      for (const outcome of run(batch)) assert.ok(outcome.kind === 'emit' || declared.has(outcome.reason))
  })
})

/** A frame with a wrong tag. */
function forged(counter: number): Uint8Array {
  const unit = good(counter)
  unit[unit.length - 1] = (unit[unit.length - 1] as number) ^ 1
  return unit
}
