/** Readers of option values: each takes the text typed and gives the value, or says what would be right. */
import { InvalidArgumentError } from 'commander';

/** A whole number from `low` to `high`, both included. */
export function wholeNumber(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < low || value > high) {
      const range = high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`;
      throw new InvalidArgumentError(`Give a whole number ${range}.`);
    }
    return value;
  };
}

/** A number of things: 1 or more. */
export const countOption = wholeNumber(1);

/** A seed: 0 to 2³² − 1. */
export const seedOption = wholeNumber(0, 0xffffffff);

/** A decimal number from `low` to `high`, both included. */
export function decimalNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || value < low || value > high) throw new InvalidArgumentError(`Give a number from ${low} to ${high}.`);
    return value;
  };
}

/** Numbers of things parted by commas: `16,32,64`. */
export const countList = (text: string): number[] => text.split(',').map((part) => countOption(part.trim()));

/** Collects an option that may be given several times. */
export const repeated = (text: string, before: string[] = []): string[] => [...before, text];
