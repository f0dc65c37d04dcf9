import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HaltError } from '../../../operators/contract/halt.ts'
import { releaseHalt } from '../../../operators/privacy/ledger/halts.ts'
import { PolicyError } from '../../../operators/privacy/release/policy.ts'
import { addDemo } from '../../../pipelines/cli/demo.ts'
import { buildProgram } from '../../../pipelines/cli/program.ts'
import { asTyped, report, toldCommands } from '../../../pipelines/cli/report.ts'

describe('commands in sentences', () => {
  for (const [text, typed] of [
    ['run meterveil topics apply, which', 'run npx meterveil topics apply, which'],
    ['run npx meterveil topics apply, which', 'run npx meterveil topics apply, which'],
    ['run the version of meterveil that wrote it', 'run the version of meterveil that wrote it'],
  ] as const) {
    it(`are told as they are typed: ${text}`, () => assert.equal(asTyped(text), typed))
  }

  it('are all the commands that there are', () => {
    const deploy = async () => assert.fail('nothing is opened')
    const { commands } = buildProgram({ pipelines: async () => [], deploy, commands: [addDemo] })
    const names = commands.map((command) => command.name())
    assert.deepEqual(
      names.filter((name) => !toldCommands.some((told) => told === name)),
      [],
    )
  })
})

describe('what a failed command prints', () => {
  it('names the reason of a halt, and where it is explained', () => {
    const { lines, exitCode } = report(releaseHalt('groups_cross', 'it crosses', 'Mend it.'), false)
    assert.equal(exitCode, 3)
    assert.deepEqual(lines.slice(0, 2), ['Halted: it crosses', 'Mend it.'])
    assert.match(lines[2] ?? '', /^Reason: groups_cross\. .*npx meterveil ledger explain groups_cross/)
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
