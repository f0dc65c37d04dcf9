/** Ends the process with one sentence where the running Node is older than the project needs. */
export function requireNode24(): void
