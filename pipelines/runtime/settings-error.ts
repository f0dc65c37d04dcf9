/** Everything that is wrong with the settings, at once. The message is for the reader; it holds no secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    const many = problems.length === 1 ? 'A setting is wrong:' : `${problems.length} settings are wrong:`
    super([many, ...problems.map((problem) => `  ${problem}`)].join('\n'))
    this.problems = problems
  }
}
