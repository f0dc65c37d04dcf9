import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServicesError } from '../../deploy/local/errors.ts'
import { alive, gone, identify, signal, startProcess, stopProcess } from '../../deploy/local/process.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-process-'))
after(() => rmSync(folder, { recursive: true }))
const shell = (script: string) => ({
  command: '/bin/sh',
  args: ['-c', script],
  cwd: folder,
  log: join(folder, 'output.log'),
})

describe('a process', () => {
  test('is known by id and start time, so that another one under its id is not taken for it', () => {
    const self = identify(process.pid)
    assert.ok(self && alive(self))
    assert.equal(alive({ ...self, began: '1' }), false)
  })

  test('is dead once only its exit status is left, although a signal to it still succeeds', async () => {
    // The second sleep takes the place of the shell, and collects nobody's exit status.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [text] = (await once(parent.stdout, 'data')) as [Buffer]
    const child = Number(text.toString())
    while (identify(child) !== undefined) await sleep(10)
    assert.equal(process.kill(child, 0), true)
    assert.equal(identify(child), undefined)
    parent.kill('SIGKILL')
  })

  test('is asked to end, and killed only if it does not', async () => {
    const willing = await startProcess(shell('exec sleep 60'))
    assert.equal(await stopProcess(willing, 10_000), 'ended')
    const deaf = await startProcess(shell('trap "" TERM; echo deaf; while :; do sleep 0.1; done'))
    while (!readFileSync(join(folder, 'output.log'), 'utf8').includes('deaf')) await sleep(10)
    assert.equal(await stopProcess(deaf, 300), 'killed')
    assert.equal(alive(deaf), false)
  })

  test('that was stopped by a signal is ended all the same', async () => {
    const asleep = await startProcess(shell('exec sleep 60'))
    signal(asleep, 'SIGSTOP')
    assert.equal(await stopProcess(asleep, 10_000), 'ended')
  })

  test('that is not ours any more gets no signal', async () => {
    const bystander = await startProcess(shell('exec sleep 60'))
    assert.equal(await stopProcess({ ...bystander, began: '1' }, 1_000), 'ended')
    assert.equal(await gone(bystander, 50), false)
    await stopProcess(bystander, 5_000)
  })

  test('takes no options of the environment that are meant for other JVMs, and keeps the output of the run before', async () => {
    process.env['JAVA_TOOL_OPTIONS'] = '-Xint'
    for (const text of ['first', 'second']) {
      await gone(await startProcess(shell(`echo ${text} [$JAVA_TOOL_OPTIONS]; sleep 0.3`)), 10_000)
    }
    delete process.env['JAVA_TOOL_OPTIONS']
    assert.equal(readFileSync(join(folder, 'output.log'), 'utf8'), 'second []\n')
    assert.equal(readFileSync(join(folder, 'output.log.1'), 'utf8'), 'first []\n')
  })

  test('that cannot be started is an error that names the program', async () => {
    await assert.rejects(
      startProcess({ ...shell(''), command: join(folder, 'nothing') }),
      (error) => error instanceof ServicesError && error.code === 'start_failed' && /nothing/.test(error.message),
    )
  })
})
