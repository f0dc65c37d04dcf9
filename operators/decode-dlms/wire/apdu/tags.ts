/** First byte of each APDU (IEC 62056-5-3, clause 9). */
export const apduTag = {
  initiateRequest: 0x01,
  initiateResponse: 0x08,
  confirmedServiceError: 0x0e,
  dataNotification: 0x0f,
  gloInitiateRequest: 0x21,
  gloInitiateResponse: 0x28,
  gloConfirmedServiceError: 0x2e,
  p1Text: 0x2f,
  aarq: 0x60,
  aare: 0x61,
  rlrq: 0x62,
  rlre: 0x63,
  getRequest: 0xc0,
  setRequest: 0xc1,
  eventNotification: 0xc2,
  actionRequest: 0xc3,
  getResponse: 0xc4,
  setResponse: 0xc5,
  actionResponse: 0xc7,
  exceptionResponse: 0xd8,
  accessRequest: 0xd9,
  accessResponse: 0xda,
  generalGlo: 0xdb,
  generalDed: 0xdc,
  generalCiphering: 0xdd,
  generalSigning: 0xdf,
  generalBlockTransfer: 0xe0,
} as const

/** A ciphered service APDU: its name, the tag that its plaintext must have, and which key it uses. */
export interface ServiceCiphering {
  readonly name: string
  readonly inner: number
  readonly dedicated: boolean
}

/** Service-specific ciphered APDUs by tag. */
export const serviceCiphering: ReadonlyMap<number, ServiceCiphering> = new Map(
  (
    [
      [0x21, 'glo-initiate-request', 0x01, false],
      [0x28, 'glo-initiate-response', 0x08, false],
      [0x2e, 'glo-confirmed-service-error', 0x0e, false],
      [0xc8, 'glo-get-request', 0xc0, false],
      [0xc9, 'glo-set-request', 0xc1, false],
      [0xca, 'glo-event-notification', 0xc2, false],
      [0xcb, 'glo-action-request', 0xc3, false],
      [0xcc, 'glo-get-response', 0xc4, false],
      [0xcd, 'glo-set-response', 0xc5, false],
      [0xcf, 'glo-action-response', 0xc7, false],
      [0xd0, 'ded-get-request', 0xc0, true],
      [0xd1, 'ded-set-request', 0xc1, true],
      [0xd2, 'ded-event-notification', 0xc2, true],
      [0xd3, 'ded-action-request', 0xc3, true],
      [0xd4, 'ded-get-response', 0xc4, true],
      [0xd5, 'ded-set-response', 0xc5, true],
      [0xd7, 'ded-action-response', 0xc7, true],
    ] as const
  ).map(([tag, name, inner, dedicated]) => [tag, { name, inner, dedicated }]),
)

/** Meter control, its answers, and the forms that need keys or methods of a later part: refused before anything is decrypted. */
export const outOfScope: ReadonlySet<number> = new Set([
  apduTag.setRequest,
  apduTag.actionRequest,
  apduTag.setResponse,
  apduTag.accessRequest,
  apduTag.generalCiphering,
  apduTag.generalSigning,
  0xc9,
  0xcb,
  0xcd,
  0xd1,
  0xd3,
  0xd5,
])

/** What the plaintext of general-glo or general-ded may begin with: associations are not ciphered, and ciphering is not nested. */
export const insideGeneral: ReadonlySet<number> = new Set([
  apduTag.initiateRequest,
  apduTag.initiateResponse,
  apduTag.confirmedServiceError,
  apduTag.dataNotification,
  apduTag.p1Text,
  apduTag.getRequest,
  apduTag.eventNotification,
  apduTag.getResponse,
  apduTag.actionResponse,
  apduTag.exceptionResponse,
  apduTag.accessResponse,
  apduTag.generalBlockTransfer,
])
