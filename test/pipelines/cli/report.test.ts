import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HaltError } from '../../../operators/contract/halt.ts'
import { releaseHalt } from '../../../operators/privacy/ledger/halts.ts'
import { PolicyError } from '../../../operators/privacy/release/policy.ts'
import { report } from '../../../pipelines/cli/report.ts'

describe('what a failed command prints', () => {
  it('names the reason of a halt, and where it is explained', () => {
    const { lines, exitCode } = report(releaseHalt('groups_cross', 'it crosses', 'Mend it.'), false)
    assert.equal(exitCode, 3)
    assert.deepEqual(lines.slice(0, 2), ['Halted: it crosses', 'Mend it.'])
    assert.match(lines[2] ?? '', /^Reason: groups_cross\. .*meterveil ledger explain groups_cross/)
  })

  it('names no reason where a halt has none', () => {
    assert.deepEqual(report(new HaltError('it broke', 'Mend it.'), false).lines, ['Halted: it broke', 'Mend it.'])
  })

  it('takes a policy that is none for an error of the settings', () => {
    const { lines, exitCode } = report(new PolicyError('selection.share is too big', 'points_over_limit'), false)
    assert.equal(exitCode, 2)
    assert.equal(lines[0], 'Error: the policy is wrong: selection.share is too big.')
    assert.match(lines.at(-1) ?? '', /points_over_limit/)
  })
})
