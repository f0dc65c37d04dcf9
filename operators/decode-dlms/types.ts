// The shapes that `decode` takes and gives.
import type { Message } from './wire/apdu/message.ts'
import type { AxdrLimits } from './wire/axdr.ts'
import type { MeterKeys } from './wire/cipher.ts'
import type { Transport } from './wire/link.ts'
import type { Pending } from './wire/pending.ts'
import type { DecodeReason } from './wire/reasons.ts'
import type { JoinLimits } from './wire/segments.ts'

/** Protection of an APDU, weakest first only in the sense of bits: each of the two middle ones lacks what the other has. */
export type Protection = 'none' | 'authenticated' | 'encrypted' | 'authenticated-encrypted'

/**
 * What the caller knows about an invocation counter, asked before anything is decrypted. `duplicate`: this very frame was accepted before, it is
 * not decrypted again. `replayed`: below the window, or the same counter with other bytes: refused. `unchecked`: the caller keeps no state.
 * The caller records a counter only after `decode` has told `tag: 'verified'`.
 */
export type ReplayVerdict = 'fresh' | 'unchecked' | 'duplicate' | 'replayed'

/** Finds the keys of a meter: by the system title in the APDU, or the connection's own if the APDU has none. `undefined` fails closed. */
export type KeyLookup = (systemTitle: Uint8Array | undefined) => MeterKeys | undefined

/** Asks for the verdict on one counter. Titles are 8 bytes, valid during the call only; `digest` is 16 bits of the ciphered content. */
export type ReplayCheck = (
  systemTitle: Uint8Array,
  broadcast: boolean,
  invocationCounter: number,
  digest: number,
) => ReplayVerdict

/** Everything that `decode` needs besides the bytes. Nothing in it is changed. */
export interface DecodeContext {
  /** How the unit is wrapped. Required. */
  readonly transport: Transport
  /** Key lookup. Required; a function that gives `undefined` for meters without keys. */
  readonly keys: KeyLookup
  /** Least protection of pushes (general-glo, general-ded, plain notifications). Default: `authenticated-encrypted`. */
  readonly minimumProtection?: Protection | undefined
  /** Least protection of answers inside an association (service ciphering and plain responses). Default: as `minimumProtection`. */
  readonly serviceProtection?: Protection | undefined
  /** System title bound to the connection: used where the APDU carries none. */
  readonly systemTitle?: Uint8Array | undefined
  /** Refuse another title than the bound one with `title_mismatch`. Default false: a concentrator speaks for many meters. */
  readonly strictTitle?: boolean | undefined
  /** Replay verdicts. Default: all `unchecked`. */
  readonly replay?: ReplayCheck | undefined
  /** What is open on this connection. Default: nothing. */
  readonly pending?: Pending | undefined
  /** When the unit was received, UTC epoch milliseconds: only for the expiry of joins. Default 0, with which nothing expires. */
  readonly receivedAt?: number | undefined
  readonly axdrLimits?: AxdrLimits | undefined
  readonly joinLimits?: JoinLimits | undefined
}

/** The ciphered layer of a message. Its title is a claim until `tag` is `verified`. */
export interface Ciphered {
  readonly wrapper: string
  /** Security control byte. */
  readonly control: number
  readonly invocationCounter: number
  /** The title carried by the APDU: 8 bytes, none of it (length 0), or `undefined` for forms that carry none. */
  readonly systemTitle: Uint8Array | undefined
  /** `failed` only on refusal; `unopened` if decryption was not tried. */
  readonly tag: 'verified' | 'unverified' | 'absent' | 'failed' | 'unopened'
  readonly replay: ReplayVerdict
  readonly plaintext: Uint8Array | undefined
}

/** A message and the ciphering it came in. `association` is the user information of an AARE. */
export interface Content {
  readonly message: Message
  readonly ciphered: Ciphered | undefined
  readonly association: Content | undefined
}

/** How far the values of a message can be trusted. */
export interface Trust {
  readonly protection: Protection
  readonly tag: 'verified' | 'unverified' | 'absent'
  readonly replay: ReplayVerdict
}

/** The way that the bytes took, common to all outcomes. */
export interface Path {
  /** Link segments joined; 0 if the unit gave no APDU yet. */
  segments: number
  /** Number of the general-transfer block in this unit; 0 if none. */
  transferBlock: number
  /** A block transfer began anew while another was open. */
  restarted: boolean
  /** The block was an exact repetition and was dropped. */
  repeated: boolean
  /** Why an older open join was given up. */
  abandoned: DecodeReason | undefined
}

interface Outcome {
  readonly path: Path
  /** What is open on the connection after this unit: hand it to the next `decode` of the same connection. */
  readonly pending: Pending
}

/** A whole message. */
export interface DecodedMessage extends Outcome {
  readonly outcome: 'message'
  readonly content: Content
  readonly trust: Trust
}

/** A part of a message; more units must come. `content` is one datablock, where it can be shown. */
export interface DecodedPart extends Outcome {
  readonly outcome: 'pending'
  readonly content: Content | undefined
  /** Of the part alone. Its counter is used up if the tag is `verified`, as that of a message is. */
  readonly trust: Trust
}

/** A unit of the link layer alone, without APDU. */
export interface DecodedLink extends Outcome {
  readonly outcome: 'link'
}

/** A frame that was accepted before; not decrypted. */
export interface DecodedDuplicate extends Outcome {
  readonly outcome: 'duplicate'
  readonly ciphered: Ciphered
}

/** A refused unit. `stage` names the layer whose bytes `byteOffset` counts. */
export interface Refused extends Outcome {
  readonly outcome: 'refused'
  readonly reason: DecodeReason
  readonly stage: 'link' | 'apdu' | 'plaintext'
  readonly byteOffset: number
  readonly ciphered: Ciphered | undefined
}

/** What one transport unit came to. */
export type Decoded = DecodedMessage | DecodedPart | DecodedLink | DecodedDuplicate | Refused
