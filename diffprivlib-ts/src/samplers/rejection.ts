/**
 * Runs `attempt` until it accepts. Rejection samplers are written as one attempt each and share this loop, so that tests can enumerate an
 * attempt's paths: the law of the loop is the attempt's law, given that it accepts.
 */
export const untilAccepted = <T>(attempt: () => T | undefined): T => {
  for (;;) {
    const outcome = attempt()
    if (outcome !== undefined) return outcome
  }
}
