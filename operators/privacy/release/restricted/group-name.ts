import type { Level } from '../../../../schemas/register-entry.ts'

/** The name of a group among those of all levels. */
export const groupName = (level: Level, group: string): string => `${level}/${group}`
