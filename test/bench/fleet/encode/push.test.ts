import assert from 'node:assert/strict'
import test from 'node:test'
import { calendarOf } from '../../../../bench/fleet/calendar.ts'
import { type PushMessage, writePush } from '../../../../bench/fleet/encode/push.ts'
import { byteWriter } from '../../../../bench/fleet/encode/writer.ts'

const winter = Date.UTC(2026, 0, 13, 18, 30)
const summer = Date.UTC(2026, 6, 1, 23, 0)
const calendar = calendarOf('Europe/London', winter, summer)

const row = { endAt: winter, status: 0, importWh: 0x1f4, exportWh: undefined, totalWh: 0x01020304 }
const base = { intervalSeconds: 1_800, sentAt: undefined, invokeId: 0x0a0b0c }

// 2026-01-13 is a Tuesday; no deviation in winter
const clock = '07ea 01 0d 02 12 1e 00 00 0000 00'
// 2 July 2026, 00:00 by the clock on the wall, a Thursday: UTC = local - 60 minutes, daylight saving in the status
const summerClock = '07ea 07 02 04 00 00 00 00 ffc4 80'

const cases: readonly { readonly name: string; readonly message: PushMessage; readonly hex: string }[] = [
  {
    name: 'a described list of clock, status, interval and register',
    message: { ...base, layout: 'described', rows: [row] },
    hex: `0f 000a0b0c 00  01 04
      02 02 0906 0000010000ff 090c ${clock}
      02 02 0906 0000600a01ff 11 00
      02 03 0906 0100011d00ff 06 000001f4 02 02 0f 00 16 1e
      02 03 0906 0100010800ff 06 01020304 02 02 0f 00 16 1e`,
  },
  {
    name: 'a described list with export, in summer time',
    message: { ...base, layout: 'described', rows: [{ ...row, endAt: summer, status: 0x20, exportWh: 7 }] },
    hex: `0f 000a0b0c 00  01 05
      02 02 0906 0000010000ff 090c ${summerClock}
      02 02 0906 0000600a01ff 11 20
      02 03 0906 0100011d00ff 06 000001f4 02 02 0f 00 16 1e
      02 03 0906 0100021d00ff 06 00000007 02 02 0f 00 16 1e
      02 03 0906 0100010800ff 06 01020304 02 02 0f 00 16 1e`,
  },
  {
    name: 'a push object list with its values and the time of sending',
    message: { ...base, layout: 'objects', rows: [row], sentAt: winter + 61_000 },
    hex: `0f 000a0b0c 0c 07ea 01 0d 02 12 1f 01 00 0000 00  02 06
      01 05
      02 04 12 0028 0906 0000190900ff 0f 01 12 0000
      02 04 12 0008 0906 0000010000ff 0f 02 12 0000
      02 04 12 0001 0906 0000600a01ff 0f 02 12 0000
      02 04 12 0003 0906 0100011d00ff 0f 02 12 0000
      02 04 12 0003 0906 0100010800ff 0f 02 12 0000
      0906 0000190900ff
      090c ${clock}
      11 00
      06 000001f4
      06 01020304`,
  },
  {
    name: 'rows of the load profile, the second with a null clock, the third after a gap',
    message: {
      ...base,
      layout: 'rows',
      rows: [row, { ...row, endAt: winter + 1_800_000 }, { ...row, endAt: winter + 7_200_000, status: 0x80 }],
    },
    hex: `0f 000a0b0c 00  02 05
      01 04
      02 04 12 0028 0906 0000190900ff 0f 01 12 0000
      02 04 12 0007 0906 0100630100ff 0f 03 12 0000
      02 04 12 0007 0906 0100630100ff 0f 04 12 0000
      02 04 12 0007 0906 0100630100ff 0f 02 12 0000
      0906 0000190900ff
      01 04
      02 04 12 0008 0906 0000010000ff 0f 02 12 0000
      02 04 12 0001 0906 0000600a01ff 0f 02 12 0000
      02 04 12 0003 0906 0100011d00ff 0f 02 12 0000
      02 04 12 0003 0906 0100010800ff 0f 02 12 0000
      06 00000708
      01 03
      02 04 090c ${clock} 11 00 06 000001f4 06 01020304
      02 04 00 11 00 06 000001f4 06 01020304
      02 04 090c 07ea 01 0d 02 14 1e 00 00 0000 00 11 80 06 000001f4 06 01020304`,
  },
]

for (const { name, message, hex } of cases) {
  test(`writes ${name}`, () => {
    const out = byteWriter(16)
    writePush(out, message, calendar)
    assert.equal(Buffer.from(out.take()).toString('hex'), hex.replaceAll(/\s/g, ''))
  })
}

test('refuses a push without an interval', () => {
  assert.throws(() => writePush(byteWriter(), { ...base, layout: 'rows', rows: [] }, calendar), /at least one interval/)
})

test('writes lengths above 127 in the long form', () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ ...row, endAt: winter + i * 1_800_000 }))
  const out = byteWriter()
  writePush(out, { ...base, layout: 'rows', rows }, calendar)
  assert.match(Buffer.from(out.view()).toString('hex'), /06000007080182012c0204090c/)
})
