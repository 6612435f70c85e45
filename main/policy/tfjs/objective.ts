/**
 * The loss of one token and its derivative by log π, for the objectives of the Policy contract.
 *
 * Policy gradient (Schulman et al., arXiv 1707.06347, with the two-sided bound of Ye et al., arXiv 1912.09729, and the k3 estimator of
 * Schulman's "Approximating KL divergence"): ρ = exp(log π − log π_old), ℓ = −min(min(ρ, δ)·A, clip(ρ, 1 − ε, 1 + ε_high)·A) + β·k3,
 * k3 = e^d − d − 1, d = log π_ref − log π. Supervised: ℓ = −log π.
 */
import type { Objective, PolicyGradientObjective, TrainSequence } from '../policy.ts';

/** Sums over a batch's tokens from which UpdateMetrics are made. */
export interface Totals {
  loss: number;
  /** Masked tokens; the other fields are sums over them. */
  count: number;
  entropy: number;
  kl: number;
  ratio: number;
  low: number;
  high: number;
}

export const noTotals = (): Totals => ({ loss: 0, count: 0, entropy: 0, kl: 0, ratio: 0, low: 0, high: 0 });

/** Adds one part's sums to the whole's. */
export function addTotals(whole: Totals, part: Totals): void {
  for (const name of ['loss', 'count', 'entropy', 'kl', 'ratio', 'low', 'high'] as const) whole[name] += part[name];
}

/** One token as the objective sees it; `old` and `reference` are undefined where the sequence has none. */
export interface Token {
  logprob: number;
  entropy: number;
  weight: number;
  advantage: number;
  old: number | undefined;
  reference: number | undefined;
}

/** Adds a token's part to the totals and returns the derivative of the weighted loss by its log-probability. */
export function addToken(objective: Objective, token: Token, totals: Totals): number {
  totals.count++;
  totals.entropy += token.entropy;
  if (objective.kind === 'supervised') {
    totals.loss -= token.weight * token.logprob;
    totals.ratio += 1;
    return -token.weight;
  }
  const ratio = token.old === undefined ? 1 : Math.exp(token.logprob - token.old);
  let { loss, slope } = clipped(objective, ratio, token.advantage);
  if (token.reference !== undefined) {
    const d = token.reference - token.logprob;
    const k3 = Math.expm1(d) - d;
    totals.kl += k3;
    if (objective.beta !== 0) {
      loss += objective.beta * k3;
      slope -= objective.beta * Math.expm1(d);
    }
  }
  totals.ratio += ratio;
  if (ratio < 1 - objective.epsilon && token.advantage < 0) totals.low++;
  if (ratio > 1 + objective.epsilon_high && token.advantage > 0) totals.high++;
  totals.loss += token.weight * loss;
  return token.weight * slope;
}

/** The clipped surrogate and its derivative by log π (dρ/dlog π = ρ). Where both terms are equal each gives half the derivative. */
function clipped(objective: PolicyGradientObjective, ratio: number, advantage: number): { loss: number; slope: number } {
  const { delta } = objective;
  const [low, high] = [1 - objective.epsilon, 1 + objective.epsilon_high];
  const bounded = delta === null ? ratio : Math.min(ratio, delta);
  const first = bounded * advantage;
  const second = Math.min(Math.max(ratio, low), high) * advantage;
  const full = -ratio * advantage;
  const firstSlope = delta === null || ratio <= delta ? full : 0;
  const secondSlope = ratio >= low && ratio <= high ? full : 0;
  if (first < second) return { loss: -first, slope: firstSlope };
  if (second < first) return { loss: -second, slope: secondSlope };
  return { loss: -first, slope: (firstSlope + secondSlope) / 2 };
}

/**
 * What fills in the coefficients of a micro-batch's tokens, laid end to end in the order of `sequences`, from their scores; adds each token
 * to `totals`. A masked token has the coefficient 0 and counts nowhere.
 */
export function tokenCoefficients(
  sequences: readonly TrainSequence[],
  objective: Objective,
  totals: Totals,
): (first: number, scores: { logprobs: Float32Array; entropy: Float32Array }, into: Float32Array) => void {
  const owners = sequences.flatMap((sequence) => Array.from(sequence.completion, (_, position) => ({ sequence, position })));
  return (first, scores, into) => {
    for (let i = 0; i < into.length; i++) {
      const { sequence, position } = owners[first + i] as (typeof owners)[number];
      const mask = sequence.mask[position] as number;
      const token = {
        logprob: scores.logprobs[i] as number,
        entropy: scores.entropy[i] as number,
        weight: mask * (sequence.weights[position] as number),
        advantage: sequence.advantages?.[position] ?? 0,
        old: sequence.oldLogprobs?.[position],
        reference: sequence.referenceLogprobs?.[position],
      };
      into[i] = mask === 0 ? 0 : addToken(objective, token, totals);
    }
  };
}
