import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReportedError } from '../../../pipelines/cli/errors.ts'
import { report } from '../../../pipelines/cli/report.ts'
import { asOneWorker, runInThreads } from '../../../pipelines/cli/run-threads.ts'
import { settingsOfThread } from '../../../pipelines/cli/thread-messages.ts'
import { silentObserver } from '../../../pipelines/runtime/index.ts'
import { readSettings } from '../../../pipelines/runtime/settings.ts'

// That threads run, drain and lose nothing over real services is shown in start-up.test.ts.
const settings = readSettings({ env: {} })

test('what a thread cannot start with is told as the process would tell it, and no thread stays', async () => {
  const failed = runInThreads({ settings, names: [], threads: 2, observer: silentObserver })
  await assert.rejects(failed, (error: unknown) => {
    assert.ok(error instanceof ReportedError)
    const { lines, exitCode } = report(error, false)
    assert.equal(lines[0], 'Error: run needs a key ring and a meter register.')
    assert.match(lines[1]!, /^Set METERVEIL_KEYRING_FOLDER and METERVEIL_REGISTER_FILE/)
    assert.equal(exitCode, 2)
    return true
  })
})

test('threads of two processes own every partition once between them', () => {
  const owned = [0, 1].flatMap((ordinal) =>
    [0, 1, 2].map((thread) => {
      const { assignment } = settingsOfThread(
        { ...settings, assignment: { by: 'ordinal', ordinal, workers: 2 } },
        thread,
        3,
      )
      return assignment
    }),
  )
  assert.deepEqual(
    owned,
    [0, 1, 2, 3, 4, 5].map((ordinal) => ({ by: 'ordinal', ordinal, workers: 6 })),
  )
  assert.deepEqual(settingsOfThread(settings, 1, 3), settings)
})

test('threads tell how many partitions they have together, once all of them know', () => {
  const told: string[] = []
  const [one, two] = asOneWorker(2, {
    ...silentObserver,
    settled: (pipeline, partitions) => void told.push(`${pipeline} ${partitions}`),
    halted: (pipeline) => void told.push(`${pipeline} halted`),
  })
  one!.settled('load', 0)
  one!.settled('readings', 4)
  assert.deepEqual(told, [])
  two!.settled('load', 1)
  one!.settled('load', 1)
  two!.settled('load', 0)
  two!.halted('load', new Error('over'))
  assert.deepEqual(told, ['load 1', 'load 2', 'load 1', 'load halted'])
})
