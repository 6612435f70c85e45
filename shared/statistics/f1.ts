/** Macro-F1: every label weighs the same, so a model that never says "maybe" cannot hide it. */

/**
 * Unweighted mean of the F1 of each label, F1 = 2·TP / (2·TP + FP + FN), 0 for a label never found. Labels are those that occur in
 * gold or answers, other than `invalid`: an answer that is none of the labels costs its gold's recall but adds no label of its own.
 * Equal to sklearn.metrics.f1_score(gold, answers, labels=…, average='macro', zero_division=0) with those labels.
 * 0 without labels.
 */
export function macroF1(gold: readonly string[], answers: readonly string[], invalid = 'invalid'): number {
  if (gold.length !== answers.length) throw new RangeError(`macroF1: ${gold.length} golds, ${answers.length} answers`);
  const labels = new Set([...gold, ...answers].filter((label) => label !== invalid));
  let sum = 0;
  for (const label of labels) {
    let found = 0;
    let named = 0;
    let there = 0;
    gold.forEach((value, i) => {
      const isGold = value === label;
      const isAnswer = answers[i] === label;
      if (isGold) there++;
      if (isAnswer) named++;
      if (isGold && isAnswer) found++;
    });
    sum += (2 * found) / (named + there);
  }
  return labels.size === 0 ? 0 : sum / labels.size;
}
