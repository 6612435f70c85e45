/** The one place where words become text for a POSIX shell. */
import { InputError } from '../../../shared/input-error.ts';

/** A word that `sh` reads as exactly this text, whatever is in it. Errors: an InputError for a NUL, which no argument can hold. */
export function shellQuote(word: string): string {
  if (word.includes('\0')) throw new InputError('an argument must not hold a NUL character', 'command');
  return /^[A-Za-z0-9_/:=.,@%+-]+$/.test(word) && !/^[=~]/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words in a line. */
export const shellWords = (words: readonly string[]): string => words.map(shellQuote).join(' ');
