import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import type { NotRun } from './not-run.ts'

/** Node test reporter: one JSON line for each test that was skipped or marked as still to do. */
export async function* notRunReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { skip, todo, file, name } = event.data
    const said = skip ?? todo
    if (said === undefined || said === false) continue
    const fact: NotRun = {
      kind: skip === undefined ? 'todo' : 'skipped',
      file: file ? relative(process.cwd(), file) : '',
      name,
      why: typeof said === 'string' ? said : '',
    }
    yield `${JSON.stringify(fact)}\n`
  }
}

// biome-ignore lint/style/noDefaultExport: node's test runner takes a reporter from the default export
export default notRunReporter
