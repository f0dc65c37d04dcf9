import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, columns, count, decimal, duration, pad, percent } from '../../../pipelines/cli/text.ts'

const cases: readonly { readonly says: string; readonly got: unknown; readonly want: unknown }[] = [
  { says: 'colours take no column', got: columns('\u001b[31mred\u001b[39m'), want: 3 },
  { says: 'a letter outside the basic plane takes one column', got: columns('⡇𝔸'), want: 2 },
  { says: 'fills on the right', got: pad('ab', 4), want: 'ab  ' },
  { says: 'fills on the left', got: pad('ab', 4, 'right'), want: '  ab' },
  { says: 'never cuts when filling', got: pad('abcde', 4), want: 'abcde' },
  { says: 'groups thousands', got: count(288_000), want: '288,000' },
  { says: 'groups thousands of a bigint', got: count(12_345_678n), want: '12,345,678' },
  { says: 'a share has one decimal', got: percent(0.1234), want: '12.3 %' },
  { says: 'decimals are fixed', got: decimal(1234.5, 2), want: '1,234.50' },
  { says: 'short spans have a decimal', got: duration(0.83), want: '0.8 s' },
  { says: 'no span is 60 s', got: duration(59.7), want: '1 min 00 s' },
  { says: 'minutes', got: duration(185), want: '3 min 05 s' },
  { says: 'hours', got: duration(7_805), want: '2 h 10 min' },
  { says: 'an endless span is unknown', got: duration(Number.POSITIVE_INFINITY), want: 'unknown' },
  { says: 'bytes', got: bytes(512), want: '512 B' },
  { says: 'mebibytes', got: bytes(1.5 * 1024 ** 2), want: '1.5 MiB' },
  { says: 'nothing is 0 B', got: bytes(0), want: '0 B' },
]

for (const { says, got, want } of cases) test(says, () => assert.deepEqual(got, want))
