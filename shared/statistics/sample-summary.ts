/** What k sampled answers a question tell: mean accuracy, pass@k, and what a vote among them would answer. */
import type { EvaluationItem, SampleSummary } from '../evaluation.ts';
import { InputError } from '../input-error.ts';
import { mean, meanInterval } from './describe.ts';
import { passAtK, passSizes } from './pass-at-k.ts';
import { majority } from './self-consistency.ts';
import { wilsonInterval } from './wilson.ts';

/**
 * Accuracy is averaged within each question first, and its 95 % interval is mean ± 1.96·s/√n over the n questions: samples of one question
 * are not independent (Miller, "Adding error bars to evals", arXiv 2411.00640). The vote's interval is Wilson's.
 * @throws InputError where questions have unequally many samples or none.
 */
export function summariseSamples(items: readonly EvaluationItem[], temperature: number): SampleSummary {
  const k = items[0]?.samples?.length ?? 0;
  const uneven = items.find((item) => (item.samples?.length ?? 0) !== k || k === 0);
  if (uneven)
    throw new InputError(`question ${uneven.id} has ${uneven.samples?.length ?? 0} samples, another ${k}; evaluate again`, 'items');
  const samples = items.map((item) => item.samples ?? []);
  const right = samples.map((list) => list.filter(({ correct }) => correct).length);
  const accuracies = right.map((count) => count / k);
  const [low, high] = meanInterval(accuracies);
  const votes = samples.filter((list) => list[majority(list.map(({ answer }) => answer)) ?? -1]?.correct ?? false).length;
  return {
    k,
    temperature,
    accuracy: { value: mean(accuracies), ci: [Math.max(0, low), Math.min(1, high)] },
    pass_at: passSizes(k).map((size) => ({ k: size, value: mean(right.map((count) => passAtK(k, count, size))) })),
    self_consistency: { value: votes / items.length, ci: wilsonInterval(votes, items.length) },
    tokens_mean: mean(samples.flat().map(({ tokens }) => tokens)),
  };
}
