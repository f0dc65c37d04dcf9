import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { copyAsMember } from './copying.ts'

/*
 * A process that copies as a member of a group, and writes a line for each assignment and commit, until it is killed. Asked
 * for a partition on its standard input, it answers whether it owns it.
 */
const [brokers = '', group = '', input = '', output = ''] = process.argv.slice(2)

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const log = kafkaLog({ brokers: brokers.split(',') })
const membership = await copyAsMember(log, {
  group,
  input,
  output,
  onAssigned: (assigned) => say({ assigned }),
  onCommit: (committed, next) => say({ committed, next: Number(next) }),
})
process.stdin.setEncoding('utf8').on('data', (asked: string) => {
  for (const line of asked.trim().split('\n')) {
    membership.owns(Number(line)).then((owns) => say({ asked: Number(line), owns }))
  }
})
