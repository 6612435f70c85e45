/**
 * Whether there is anything to learn from: GRPO compares the answers to one question with one another, so a group whose rewards are all
 * equal moves nothing (Shao et al., arXiv 2402.03300; DAPO leaves such groups out, Yu et al., arXiv 2503.14476).
 */
import { z } from 'zod';
import { mean, standardDeviation } from './statistics/describe.ts';

export const LearningSignal = z.object({
  /** Questions that were tried, and those of them whose answers were all finished in time; of the others nothing is known. */
  groups: z.number().int(),
  whole: z.number().int(),
  /** Shares of the whole groups whose rewards, and whose `correct`, are not all equal; null where no group is whole. */
  varied: z.number().nullable(),
  varied_correct: z.number().nullable(),
  /** Means over the answers of whole groups; null where there are none. */
  reward: z.number().nullable(),
  right: z.number().nullable(),
  /** Share of those answers that were cut at the cap. */
  truncated: z.number().nullable(),
  /** What to change; null where there is a signal, or where nothing is known. */
  advice: z.string().nullable(),
});
export type LearningSignal = z.infer<typeof LearningSignal>;

/** The answers to one question. */
export interface GroupOutcome {
  /** Null where no reward function answered. */
  rewards: readonly (number | null)[];
  correct: readonly boolean[];
  truncated: readonly boolean[];
}

/** What the advice goes by beside the answers. */
export interface SignalSettings {
  temperature: number;
  num_generations: number;
  max_completion_length: number;
}

/** Rewards of a group that are no further apart teach nothing; rounding makes no difference. */
export const EQUAL_WITHIN = 1e-12;

/** Whether numbers differ: their standard deviation is not 0. */
export const differ = (values: readonly number[]): boolean => values.length > 1 && standardDeviation(values) >= EQUAL_WITHIN;

const share = (flags: readonly boolean[]): number => mean(flags.map(Number));

/** Of whole groups, of `tried` questions. */
export function learningSignal(groups: readonly GroupOutcome[], tried: number, settings: SignalSettings): LearningSignal {
  const none = { varied: null, varied_correct: null, reward: null, right: null, truncated: null, advice: null };
  if (groups.length === 0) return { groups: tried, whole: 0, ...none };
  const varied = share(groups.map(({ rewards }) => differ(rewards.filter((reward) => reward !== null))));
  const rewards = groups.flatMap((group) => group.rewards).filter((reward) => reward !== null);
  const found = {
    groups: tried,
    whole: groups.length,
    varied,
    varied_correct: share(groups.map(({ correct }) => differ(correct.map(Number)))),
    reward: rewards.length === 0 ? null : mean(rewards),
    right: share(groups.flatMap(({ correct }) => correct)),
    truncated: share(groups.flatMap(({ truncated }) => truncated)),
  };
  return { ...found, advice: varied > 0 ? null : adviceFor(found, settings) };
}

type Found = Pick<LearningSignal, 'varied_correct' | 'right' | 'truncated'>;

/** What to change where the rewards of every group are all equal. */
function adviceFor(
  { varied_correct, right, truncated }: Found,
  { temperature, num_generations, max_completion_length }: SignalSettings,
): string {
  const more = `more answers a question (num_generations is ${num_generations})`;
  if ((varied_correct ?? 0) > 0) {
    return 'answers differ in being right and the rewards do not see it: add the reward "correct", or give it a weight and start_step 0';
  }
  if (right === 1) return 'every answer is right: take harder questions, or a reward that tells right answers apart (a length term)';
  if (right === 0) {
    const cap =
      (truncated ?? 0) >= 0.5
        ? `a higher max_completion_length (${percent(truncated ?? 0)} were cut at ${max_completion_length} tokens), `
        : '';
    return `every answer is wrong: take ${cap}easier questions, a larger model, ${more}, or show it the form of an answer first (supervised training, or a worked example in prompt.prefix)`;
  }
  return `every question is answered all right or all wrong: take a higher temperature (it is ${temperature}), ${more}, or questions of a difficulty between`;
}

const percent = (value: number): string => `${Math.round(100 * value)} %`;

/** `6 of 8 groups were whole; rewards differ in 50 % of them (38 % in "correct"); mean reward 0.42`. */
export function signalText({ groups, whole, varied, varied_correct, reward }: LearningSignal): string {
  if (varied === null || varied_correct === null) return `not known: none of ${groups} groups was finished in time`;
  const unknown = whole < groups ? `; of the other ${groups - whole} nothing is known` : '';
  const average = reward === null ? '' : `; mean reward ${reward.toFixed(2)}`;
  return `rewards differ in ${percent(varied)} of ${whole} groups, "correct" in ${percent(varied_correct)}${average}${unknown}`;
}

/** One sentence; null where there is a signal, or where nothing is known. */
export const signalNote = ({ whole, advice }: LearningSignal): string | null =>
  advice === null
    ? null
    : `No learning signal: in ${whole === 1 ? 'the only group' : `all ${whole} groups`} that were finished all rewards are equal, so nothing would be learnt; ${advice}.`;
