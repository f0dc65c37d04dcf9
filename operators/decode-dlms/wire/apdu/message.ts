// What an APDU says once link, blocks and ciphering are undone. Values stay on their tape until somebody asks for them.
import type { AxdrValue } from '../axdr.ts'

/** A way in which a meter departs from the standard and that is known, harmless and accepted. */
export type Quirk = 'tagged-date-time' | 'untagged-attribute-descriptors'

/** One result of a response: data, or the data-access-result code that stands in its place. */
export type DataResult = { readonly value: AxdrValue } | { readonly accessResult: number }

/** One entry of a list whose class, OBIS code and attribute are sent without tags (Czech layout). */
export interface UntaggedEntry {
  readonly classId: number
  /** Offset of the six OBIS bytes in `value.bytes`. */
  readonly obisAt: number
  readonly attribute: number
  readonly value: AxdrValue
}

/** A push. `timeAt` is the offset of 12 date-time bytes in `bytes`, -1 if absent. */
export interface DataNotification {
  readonly kind: 'data-notification'
  /** long-invoke-id-and-priority as sent, 32 bits: an identifier, not a counter. */
  readonly invokeId: number
  readonly bytes: Uint8Array
  readonly timeAt: number
  readonly quirk: Quirk | undefined
  readonly value: AxdrValue | undefined
  /** Set instead of `value` for the untagged layout. */
  readonly entries: readonly UntaggedEntry[] | undefined
}

/** An event of one attribute. */
export interface EventNotification {
  readonly kind: 'event-notification'
  readonly bytes: Uint8Array
  readonly timeAt: number
  readonly quirk: Quirk | undefined
  readonly classId: number
  readonly obisAt: number
  readonly attribute: number
  readonly value: AxdrValue
}

/** Everything that one APDU can say. Kinds without values are events of the link or the association. */
export type Message =
  | DataNotification
  | EventNotification
  | { readonly kind: 'get-response-normal'; readonly invokeId: number; readonly result: DataResult }
  | { readonly kind: 'get-response-with-list'; readonly invokeId: number; readonly results: readonly DataResult[] }
  | {
      /** Data of a block transfer, joined (`result`), or one block of it that cannot be joined yet (`block`). */
      readonly kind: 'get-response-with-datablock'
      readonly invokeId: number
      readonly last: boolean
      readonly blockNumber: number
      readonly block: Uint8Array | undefined
      readonly result: DataResult | undefined
    }
  | {
      readonly kind: 'access-response'
      readonly invokeId: number
      readonly bytes: Uint8Array
      readonly timeAt: number
      readonly values: readonly AxdrValue[]
      /** One (service, data-access-result) pair per request: service 1 get, 2 set, 3 action. */
      readonly results: readonly { readonly service: number; readonly accessResult: number }[]
    }
  | {
      readonly kind: 'action-response-normal'
      readonly invokeId: number
      readonly actionResult: number
      readonly result: DataResult | undefined
    }
  | {
      readonly kind: 'get-request' | 'initiate-request' | 'aarq' | 'rlrq' | 'rlre'
      readonly applicationContext: string | undefined
    }
  | {
      readonly kind: 'initiate-response'
      readonly dlmsVersion: number
      readonly conformance: number
      readonly maxPdu: number
      readonly vaaName: number
    }
  | Aare
  | {
      readonly kind: 'exception-response'
      readonly stateError: number
      readonly serviceError: number
      readonly invocationCounter: number | undefined
    }
  | {
      readonly kind: 'confirmed-service-error'
      readonly service: number
      readonly error: number
      readonly code: number
    }
  | { readonly kind: 'p1-telegram'; readonly bytes: Uint8Array }
  | { readonly kind: 'data'; readonly value: AxdrValue; readonly trailing: Uint8Array }

/** An association response. `userInformation` is the inner APDU, possibly ciphered, read apart. */
export interface Aare {
  readonly kind: 'aare'
  readonly applicationContext: string
  readonly associationResult: number
  readonly diagnostic: number
  readonly diagnosticSource: 'user' | 'provider'
  readonly respondingTitle: Uint8Array | undefined
  readonly mechanism: number | undefined
  readonly userInformation: Uint8Array | undefined
}
