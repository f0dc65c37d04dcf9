import { createSecretKey } from 'node:crypto'
import { type Command, Option } from 'commander'
import { reasons } from '../../operators/contract/reasons.ts'
import { decodeDump } from '../../operators/decode-dlms/dump.ts'
import { expectationOf, type FrameRecord, type Json } from '../../operators/decode-dlms/expect.ts'
import type { Decoded } from '../../operators/decode-dlms/types.ts'
import type { Transport } from '../../operators/decode-dlms/wire/link.ts'
import { type DecodeInputOptions, frameRecords, frameTransports } from './decode-input.ts'
import { factTree, withheld, withholdValues } from './decode-tree.ts'
import { openTerminal, type Terminal } from './terminal.ts'

interface DecodeOptions extends DecodeInputOptions {
  readonly json?: boolean
  readonly showValues?: boolean
}

/** `meterveil decode HEX|FILE`: frames as readable trees, or as JSON lines in the shape of a frame file's `expect`. */
export function addDecode(program: Command): void {
  program
    .command('decode')
    .description('show what is in a frame; values, titles and plaintext are withheld unless asked for')
    .argument('<hex|file>', 'hex digits, or a file of hex digits, raw bytes or frame records')
    .option('--show-values', 'show everything, identifying values too')
    .option('--json', 'one JSON line for each record: {"id", …} in the shape of its expect')
    .addOption(
      new Option('--transport <link>', 'how the bytes are wrapped; guessed by default').choices(frameTransports),
    )
    .option('--key <file>', 'file of mode 0600 with the encryption key as hex digits')
    .option('--auth-key <file>', 'file of mode 0600 with the authentication key as hex digits')
    .option('--title <file>', 'file of mode 0600 with the system title, for APDUs that carry none')
    .action((argument: string, options: DecodeOptions) => {
      const terminal = openTerminal({ json: options.json ?? false })
      const show = (facts: Json) => (options.showValues ? facts : withholdValues(facts))
      for (const record of frameRecords(argument, options)) {
        const facts = show({ id: record.id, ...expectationOf(record) }) as { readonly [key: string]: Json }
        terminal.record(facts)
        if (!terminal.json) print(terminal, record, facts)
      }
    })
}

function print(terminal: Terminal, record: FrameRecord, facts: { readonly [key: string]: Json }): void {
  const { id, ...rest } = facts
  const bytes = Buffer.from(record.hex, 'hex')
  terminal.title(`${id}  ${record.transport}, ${bytes.length} bytes`)
  for (const line of outcomes(record, bytes)) terminal.line(line)
  for (const line of factTree(rest)) terminal.line(line)
  if (JSON.stringify(rest).includes(withheld)) {
    terminal.line(terminal.paint.dim('Withheld: what could identify a meter or a home. --show-values shows it.'))
  }
}

/** What each unit of the capture came to, with the reason in words where it was refused. */
function outcomes(record: FrameRecord, bytes: Buffer): readonly string[] {
  const transport = record.transport.startsWith('hdlc') ? 'hdlc' : (record.transport as Transport)
  const encryption = record.key ? createSecretKey(Buffer.from(record.key, 'hex')) : undefined
  const authentication = record.authKey ? createSecretKey(Buffer.from(record.authKey, 'hex')) : undefined
  const keys = encryption ? { encryption, authentication, broadcast: encryption, dedicated: encryption } : undefined
  const { units, faults } = decodeDump(bytes, {
    transport,
    keys: () => keys,
    systemTitle: record.systemTitle ? Buffer.from(record.systemTitle, 'hex') : undefined,
    minimumProtection: 'none',
    serviceProtection: 'none',
  })
  return [
    ...units.map(({ at, decoded }) => ({ at, says: outcomeText(decoded) })),
    ...faults.map(({ at, reason }) => ({ at, says: `no frame: ${reason}. ${reasons[reason].sentence}` })),
  ]
    .sort((a, b) => a.at - b.at)
    .map(({ at, says }) => `byte ${at}: ${says}`)
}

function outcomeText(decoded: Decoded): string {
  switch (decoded.outcome) {
    case 'message':
      return `message ${decoded.content.message.kind}, protection ${decoded.trust.protection}, tag ${decoded.trust.tag}`
    case 'pending':
      return 'part of a message, more must come'
    case 'link':
      return 'link layer only, no APDU'
    case 'duplicate':
      return 'the same frame again'
    case 'refused':
      return `refused ${decoded.reason} at ${decoded.stage} byte ${decoded.byteOffset}: ${reasons[decoded.reason].sentence}`
  }
}
