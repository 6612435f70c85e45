/** The answer that most samples agree on (Wang et al., "Self-consistency improves chain of thought reasoning", arXiv 2203.11171). */

/** `125`, `125.0` and `125 mL/h`, `125.00 mL/h` are one vote each pair; letters and words vote as written. */
function ballot(answer: string): string {
  const quantity = /^([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?:\s+(.+))?$/i.exec(answer);
  return quantity ? `${Number(quantity[1])} ${quantity[2] ?? ''}` : answer;
}

/**
 * Index of the first sample that gave the majority answer. Invalid answers have no vote; of equally frequent answers the one that was
 * given first wins. Null where no sample has a vote.
 */
export function majority(answers: readonly string[], invalid = 'invalid'): number | null {
  const votes = new Map<string, { first: number; count: number }>();
  answers.forEach((answer, index) => {
    if (answer === invalid) return;
    const key = ballot(answer);
    const vote = votes.get(key);
    if (vote) vote.count++;
    else votes.set(key, { first: index, count: 1 });
  });
  let best: { first: number; count: number } | null = null;
  for (const vote of votes.values()) if (best === null || vote.count > best.count) best = vote;
  return best?.first ?? null;
}
