/** With CI=true everything runs in full; otherwise so much that a run of the tests takes seconds to a minute. */
export const inFull: boolean = process.env['CI'] === 'true'

/** With MV_NIGHT=true also what takes many minutes. */
export const byNight: boolean = process.env['MV_NIGHT'] === 'true'

/** Runs a world of an end-to-end audit: MV_AUDIT_RUNS, or one of two numbers. */
export const auditRuns = (usual: number, full: number): number =>
  Number(process.env['MV_AUDIT_RUNS'] ?? (inFull ? full : usual))
