import { type Command, Option } from 'commander'
import { describePipeline, topologyText } from '../runtime/describe.ts'
import { topologyMermaid } from '../runtime/describe-mermaid.ts'
import type { Pipeline } from '../runtime/stream.ts'
import { pick } from './pick.ts'
import { openTerminal } from './terminal.ts'

interface DescribeOptions {
  readonly format: 'text' | 'mermaid' | 'json'
  readonly json?: boolean
}

/** `meterveil describe [PIPELINE…]`: sources, operators, labels, sinks, and what each operator may drop or reject. */
export function addDescribe(program: Command, pipelines: () => Promise<readonly Pipeline[]>): void {
  program
    .command('describe')
    .description('show the topology: sources, operators, labels, sinks, what each may drop or reject')
    .argument('[pipelines...]', 'names of pipelines; all by default')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'mermaid', 'json']).default('text'))
    .option('--json', 'the same as --format json')
    .action(async (names: readonly string[], { format, json }: DescribeOptions) => {
      const facts = pick(await pipelines(), names).map(describePipeline)
      const terminal = openTerminal({ json: json === true || format === 'json' })
      for (const one of facts) terminal.record(one)
      const lines = format === 'mermaid' ? topologyMermaid(facts) : topologyText(facts, terminal.width)
      for (const line of lines) terminal.line(line)
    })
}
