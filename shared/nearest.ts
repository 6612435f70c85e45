/** The word a user probably meant. */

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`: optimal string alignment. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The choice nearest to `word`, or null where none is near (more than 40 % of the longer word would have to change). */
export function nearest(word: string, choices: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const choice of choices) {
    const distance = editDistance(word.toLowerCase(), choice.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [choice, distance];
  }
  return best !== null && bestDistance <= 0.4 * Math.max(word.length, best.length) ? best : null;
}

/** `unknown data set "medmqca": did you mean "medmcqa"?`, or the list of what there is. */
export function unknownName(what: string, name: string, choices: readonly string[]): string {
  const guess = nearest(name, choices);
  const known = `known: ${choices.join(', ')}`;
  return guess === null ? `unknown ${what} "${name}"; ${known}` : `unknown ${what} "${name}": did you mean "${guess}"? (${known})`;
}
