/** What a grader reads out of an answer. */
export type Extraction = {
  /** A letter, a word of the form, a number with its unit (`125 mL/h`), an expression as it was written, or `invalid`. */
  answer: string;
  /** The rule that decided; for `invalid`, why. */
  method: string;
  /** `number` only. */
  value?: number;
  /** `number` only: canonical unit, null where none was written. */
  unit?: string | null;
};

export const invalid = (method: string): Extraction => ({ answer: 'invalid', method });
