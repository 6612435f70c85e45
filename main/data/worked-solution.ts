/**
 * Worked solutions as people write them: some restate the facts, some say what they are going to do, some multiply in parts and
 * some in one go, some check the result. Each habit is drawn on its own, so that no habit hides another. The sentences of a habit
 * begin with one word: were they to begin with several, none would be the likeliest, and greedy text would not show a habit that most have.
 */
import type { RandomStream } from '../../shared/random.ts';

export interface Habits {
  restate: boolean;
  plan: boolean;
  /** Products written as parts: 63*3=60*3+3*3=180+9=189. */
  parts: boolean;
  check: boolean;
}

export const HABIT_RATES: Record<keyof Habits, number> = { restate: 0.6, plan: 0.6, parts: 0.22, check: 0.6 };

export function drawHabits(random: RandomStream): Habits {
  return {
    restate: random.chance(HABIT_RATES.restate),
    plan: random.chance(HABIT_RATES.plan),
    parts: random.chance(HABIT_RATES.parts),
    check: random.chance(HABIT_RATES.check),
  };
}

/** At most six significant digits and no trailing zeros: 0.1 + 0.2 → 0.3. */
export const plain = (value: number): string => String(Number(value.toPrecision(6)));

/** Place values of a whole number, largest first, zeros left out: 412 → [400, 10, 2]. */
export function placeValues(value: number): number[] {
  const digits = String(value);
  return [...digits].map((d, i) => Number(d) * 10 ** (digits.length - 1 - i)).filter((v) => v !== 0);
}

/** `63*3=189` or, in parts, `63*3=60*3+3*3=180+9=189`. */
export function writeProduct(a: number, b: number, parts: boolean): string {
  const head = `${plain(a)}*${plain(b)}`;
  const places = Number.isInteger(a) && Number.isInteger(b) && b < 10 ? placeValues(a) : [];
  if (!parts || places.length < 2) return `${head}=${plain(a * b)}`;
  const products = places.map((p) => `${p}*${b}`).join('+');
  const sums = places.map((p) => String(p * b)).join('+');
  return `${head}=${products}=${sums}=${plain(a * b)}`;
}

/** How a product in parts begins, before any result: `63*3=60*3+3*3=`. Empty where there is only one part. */
export function productStart(a: number, b: number): string {
  const written = writeProduct(a, b, true).split('=');
  return written.length < 3 ? '' : `${written[0]}=${written[1]}=`;
}

export interface SolutionParts {
  /** The facts of the question in other words, a sentence. */
  facts: string;
  /** What will be done, a sentence. */
  plan: string;
  /** The calculation, in order; each without a full stop. */
  steps: string[];
  /** How one would check, without a full stop. */
  check: string;
  /** The answer as the question wants it. */
  answer: string;
}

export function writeSolution(parts: SolutionParts, habits: Habits): string {
  const sentences: string[] = [];
  if (habits.restate) sentences.push(parts.facts);
  if (habits.plan) sentences.push(parts.plan);
  for (const step of parts.steps) sentences.push(`${step}.`);
  if (habits.check) sentences.push(`Check: ${parts.check}.`);
  return `${sentences.join(' ')} Answer: ${parts.answer}`;
}
