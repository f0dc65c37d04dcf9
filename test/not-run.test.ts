import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NotRun, needsOutsideData, parseNotRun, verdictOnNotRun } from './not-run.ts'

const skipped = (why: string, name = 'a test'): NotRun => ({ kind: 'skipped', file: 'a.test.ts', name, why })
const todo: NotRun = { kind: 'todo', file: 'a.test.ts', name: 'later', why: '' }
const data = `${needsOutsideData}: real profiles`

const cases = [
  { says: 'nothing skipped passes in CI', notRun: [], ci: true, dataGiven: false, failed: false },
  { says: 'a skip fails CI', notRun: [skipped('flaky')], ci: true, dataGiven: false, failed: true },
  { says: 'a skip without a message fails CI', notRun: [skipped('')], ci: true, dataGiven: false, failed: true },
  { says: 'a skip passes on a desk', notRun: [skipped('flaky')], ci: false, dataGiven: false, failed: false },
  { says: 'missing outside data is excused', notRun: [skipped(data)], ci: true, dataGiven: false, failed: false },
  {
    says: 'missing outside data may be said in the title',
    notRun: [skipped('', data)],
    ci: true,
    dataGiven: false,
    failed: false,
  },
  { says: 'data that was given is no excuse', notRun: [skipped(data)], ci: true, dataGiven: true, failed: true },
  { says: 'a test still to do fails CI', notRun: [todo], ci: true, dataGiven: false, failed: true },
  { says: 'one bad skip among good fails', notRun: [skipped(data), todo], ci: true, dataGiven: false, failed: true },
]

for (const { says, notRun, ci, dataGiven, failed } of cases) {
  test(says, () => {
    const verdict = verdictOnNotRun(notRun, { ci, dataGiven })
    assert.equal(verdict.failed, failed)
    for (const { name, why } of notRun) {
      assert.ok(verdict.lines.some((line) => line.includes(name) && line.includes(why)))
    }
  })
}

test('reads the lines of the reporter back', () => {
  assert.deepEqual(parseNotRun(`${JSON.stringify(todo)}\n${JSON.stringify(skipped('x'))}\n`), [todo, skipped('x')])
})
