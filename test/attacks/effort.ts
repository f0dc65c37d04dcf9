/** With CI=true everything runs in full; otherwise so much that a run of the tests takes seconds to a minute. */
export const inFull: boolean = process.env['CI'] === 'true'

/** Runs a world of the end-to-end audit: MV_AUDIT_RUNS, or 20,000 in full. */
export const auditRuns = (usual: number): number => Number(process.env['MV_AUDIT_RUNS'] ?? (inFull ? 20_000 : usual))
