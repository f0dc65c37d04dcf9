import { z } from 'zod'

/** One setting: its key in the JSON file, its environment variable, and what it may be. */
export interface SettingSpec {
  readonly key: string
  readonly variable: string
  readonly schema: z.ZodType
  /** Completes "must be …". */
  readonly range: string
  /** As text, for the documentation; empty where there is none. */
  readonly fallback: string
  readonly help: string
  /** A wrong value is not repeated, since people write passwords into addresses. Default false. */
  readonly withheld?: boolean
  /** What of a value that the schema refuses is wrong, each after the name of the setting. Default: `range` says it. */
  readonly problems?: (value: unknown) => readonly string[]
  /** Reads the text of the environment variable. Default: as the schema's kind is written. */
  readonly parse?: (text: string) => unknown
}

type Kind = Pick<SettingSpec, 'schema' | 'range' | 'withheld'>

export const whole = (from: number, to: number): Kind => ({
  schema: z.number().int().min(from).max(to),
  range: `a whole number from ${from.toLocaleString('en-US')} to ${to.toLocaleString('en-US')}`,
})

export const path: Kind = { schema: z.string().min(1), range: 'a path' }

export const flag: Kind = { schema: z.boolean(), range: 'true or false' }

export const oneOf = (...choices: readonly string[]): Kind => ({
  schema: z.enum(choices),
  range: `${choices
    .slice(0, -1)
    .map((choice) => `"${choice}"`)
    .join(', ')} or "${choices.at(-1)}"`,
})

/** A user name: printable, and without what would end a line or a header. */
export const userName: Kind = {
  schema: z.string().regex(/^[^\p{C}\s:]{1,256}$/u),
  range: 'a name without spaces and colons',
  withheld: true,
}

/** `host:port` of a server; an IPv6 address stands in brackets. */
const address = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})$/

export const addresses: Kind = {
  schema: z
    .array(
      z.string().refine((text) => Number(address.exec(text)?.[1] ?? 0) > 0 && Number(address.exec(text)?.[1]) < 65_536),
    )
    .min(1),
  range: 'addresses host:port, as a list or separated by commas',
  withheld: true,
}

/** Splits an address that `addresses` let through. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}

/** Text of an environment variable as the value that a spec checks: `8x`, an empty number or `yes` stay text and are refused. */
export function fromText({ schema, parse }: SettingSpec, text: string): unknown {
  if (parse) return parse(text)
  if (schema instanceof z.ZodNumber) return /^-?\d+$/.test(text) ? Number(text) : text
  if (schema instanceof z.ZodBoolean) return text === 'true' || text === 'false' ? text === 'true' : text
  if (schema instanceof z.ZodArray) return text.split(',').map((part) => part.trim())
  return text
}

/** A value in a message: short, and as it would stand in JSON. */
export function shown(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
