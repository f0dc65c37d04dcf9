import type { Command } from 'commander'
import { addDemo } from '../../pipelines/cli/demo.ts'
import { buildProgram } from '../../pipelines/cli/program.ts'

const program = buildProgram({
  pipelines: async () => [],
  deploy: () => Promise.reject(new Error('never run')),
  commands: [addDemo],
})

/** What is wrong with the words of a command of ours; `undefined` where it exists with these options. */
export function faultOfCommand(words: readonly string[]): string | undefined {
  const [name = ''] = words
  if (name.startsWith('--')) return undefined
  const command: Command | undefined = program.commands.find((one) => one.name() === name)
  if (!command) return `there is no command ${name}`
  const [second = ''] = words.slice(1)
  const inner = command.commands.find((one) => one.name() === second)
  if (command.commands.length > 0 && second !== '' && !inner) return `${name} has no command ${second}`
  const known = (inner ?? command).options.map(({ long }) => long)
  const unknown = words.filter((word) => word.startsWith('--') && !known.includes(word.split('=')[0] as string))
  return unknown.length === 0 ? undefined : `${name} has no option ${unknown.join(' or ')}`
}
