/** Many comparisons, one family: how small must a p be when ten were looked at? (Holm, Scandinavian Journal of Statistics 6, 1979) */

/**
 * Adjusted p-values in the order given: with p sorted upwards, the i-th of m (from 0) is max over j ≤ i of min(1, (m − j)·p_j). An adjusted p
 * below α is a rejection that keeps the chance of any false one in the family below α, whatever depends on what.
 * Equal to statsmodels' multipletests(p, method='holm').
 * @throws RangeError for a value outside [0, 1].
 */
export function holmAdjusted(p: readonly number[]): number[] {
  const wrong = p.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw new RangeError(`holmAdjusted: ${wrong} is no p-value`);
  const order = p.map((_, i) => i).sort((a, b) => (p[a] ?? 0) - (p[b] ?? 0));
  const adjusted = new Array<number>(p.length).fill(1);
  let running = 0;
  order.forEach((at, rank) => {
    running = Math.max(running, Math.min(1, (p.length - rank) * (p[at] ?? 0)));
    adjusted[at] = running;
  });
  return adjusted;
}
