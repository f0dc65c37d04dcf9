/** What becomes of a record under a reason: refused to the dead letter, dropped on purpose, or noted as an event. */
export type Outcome = 'reject' | 'drop' | 'event'

interface ReasonText {
  readonly outcome: Outcome
  /** What happened, in one sentence. */
  readonly sentence: string
  /** What the operator of the system can do about it. */
  readonly action: string
}

const reject = (sentence: string, action: string): ReasonText => ({ outcome: 'reject', sentence, action })
const drop = (sentence: string, action: string): ReasonText => ({ outcome: 'drop', sentence, action })
const event = (sentence: string, action: string): ReasonText => ({ outcome: 'event', sentence, action })

const checkMeter = 'If one meter repeats it, check that meter and its link; single cases are line noise.'
const checkProfile = 'Compare the meter type and firmware with its decoding profile in the register.'
const checkKeys = 'Check the meter’s keys and security policy in the key ring and the register.'

/**
 * Every reason there is: the type, the metric label, the text of `meterveil explain`, and the table in
 * docs/reasons.md (a test compares them).
 */
export const reasons = {
  // framing
  frame_truncated: reject('The transport unit ends before its stated length.', checkMeter),
  frame_length_mismatch: reject('The stated length of a link frame disagrees with its bytes.', checkMeter),
  frame_oversize: reject('The transport unit is longer than the configured limit.', checkMeter),
  frame_missing: reject('The bytes hold no frame of the stated link layer.', checkMeter),
  hcs_mismatch: reject('The HDLC header check sequence is wrong.', checkMeter),
  fcs_mismatch: reject('The HDLC frame check sequence is wrong.', checkMeter),
  checksum_mismatch: reject('The M-Bus checksum or stop byte is wrong.', checkMeter),
  segment_missing: reject('A segment of the message never came, or came out of order.', checkMeter),
  segment_expired: reject('The rest of a segmented message did not come in time.', checkMeter),
  block_missing: reject('A block of a block transfer is missing or out of order.', checkMeter),
  // APDU and data
  apdu_unknown_tag: reject('The APDU starts with a tag this decoder does not know.', checkProfile),
  apdu_trailing_bytes: reject('Bytes follow a complete APDU.', checkProfile),
  apdu_out_of_scope: reject(
    'The APDU asks a meter to do something; the pipeline only reads.',
    'Find out who sends set or action requests to this topic.',
  ),
  length_invalid: reject(
    'A length is coded in a form the standard does not allow, or exceeds what is left.',
    checkProfile,
  ),
  axdr_unknown_type: reject('The data holds an unknown A-XDR type tag.', checkProfile),
  axdr_truncated: reject('The data ends inside a value.', checkMeter),
  axdr_too_deep: reject('The data is nested deeper than the limit.', checkMeter),
  axdr_budget: reject('The data needs more elements, bytes or steps than the limit.', checkMeter),
  // security
  key_unknown: reject('The key ring holds no key for this meter.', checkKeys),
  title_missing: reject('The APDU carries no system title and none is bound to the connection.', checkKeys),
  title_mismatch: reject(
    'The system title in the APDU is not the one registered for the connection.',
    'Check the register for a meter exchange, or two meters swapped.',
  ),
  authentication_failed: reject('The authentication tag is wrong: wrong key, or altered bytes.', checkKeys),
  protection_too_weak: reject('The APDU is protected less than the register demands.', checkKeys),
  compression_unsupported: reject('The APDU is compressed, which this decoder does not support.', checkProfile),
  suite_unsupported: reject('The APDU names a security suite this decoder does not support.', checkProfile),
  invocation_counter_replayed: reject(
    'The invocation counter lies below the window of the meter, or was used for other content.',
    'Treat as a replay: look for who resends old frames.',
  ),
  // meaning
  obis_unmapped: reject('The message holds no interval energy that the profile knows.', checkProfile),
  profile_unknown: reject('The register names a decoding profile that does not exist.', checkProfile),
  profile_ambiguous: reject('More than one layout of the profile fits the message.', checkProfile),
  time_missing: reject('The message does not say when its interval was.', checkProfile),
  time_invalid: reject('A date or time is not valid, or names no whole interval.', checkMeter),
  time_in_future: reject(
    'The interval ends more than 300 seconds after the frame was received.',
    'Set the meter’s clock.',
  ),
  unit_unexpected: reject(
    'An energy value has a unit other than the profile’s, or a fraction of a watt-hour.',
    checkProfile,
  ),
  value_out_of_range: reject('A value lies outside what its field can hold.', checkMeter),
  meter_unknown: reject(
    'The register has no meter for the connection at that time.',
    'Add the meter to the register and start [readings] again, then run meterveil rejected replay --reason meter_unknown.',
  ),
  meter_misplaced: reject(
    'The frame reached a partition that does not own its meter, for the second time.',
    'Let producers take the partition from the register.',
  ),
  schema_mismatch: reject(
    'The record does not fit its schema, or names an unknown schema id.',
    'Check who writes to the topic, and with which schema.',
  ),
  batch_oversize: reject(
    'A whole batch of the log unpacks to more than a process may hold; it is skipped as one, and its dead letter names its offsets.',
    'Find out who wrote them and send them again in smaller batches: none of their records was read.',
  ),
  // intended
  duplicate: drop('The interval, or the whole frame, was accepted before.', 'None: meters retry.'),
  restated: drop(
    'The interval was accepted before with another value. This version keeps the first value and does not compare the later one, which it drops as duplicate: it gives this reason to nothing yet.',
    'None: the first value stands, also in what is released.',
  ),
  too_late: drop('The interval’s local day lies below the horizon.', 'Raise the horizon if this is common.'),
  part_of_message: drop('The unit is one part of a message and was joined with the others.', 'None.'),
  link_only: drop('The unit belongs to the link layer and carries no APDU.', 'None.'),
  not_for_load: drop(
    'The reading came after the D+1 cut-off, lies off the grid of release windows, or is of another residency zone: it has no public use here.',
    'None: it is in household.readings.',
  ),
  forwarded: drop(
    'The frame was passed on to the partition that owns its meter.',
    'Let producers take the partition from the register.',
  ),
  // events
  association_event: event('The meter answered an association request.', 'None.'),
  exception_event: event('The meter reported an exception or a service error.', checkProfile),
  notification_event: event('The meter reported an event.', 'See the dead-letter topic.'),
} as const satisfies Record<string, ReasonText>

export type Reason = keyof typeof reasons

/** All reasons with one outcome. */
export function reasonsOf(outcome: Outcome): readonly Reason[] {
  return (Object.keys(reasons) as Reason[]).filter((reason) => reasons[reason].outcome === outcome)
}
