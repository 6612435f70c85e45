/** What the user gave was wrong: exit code 2. The message names the field, the value and the fix. */
export class InputError extends Error {
  override name = 'InputError';
  /** The flag, key or file at fault, where there is one. */
  readonly field: string | undefined;
  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}
