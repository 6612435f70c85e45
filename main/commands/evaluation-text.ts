/** One evaluation as a terminal shows it. */
import type { Evaluation } from '../../shared/evaluation.ts';

const percent = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

/** Aligned lines: a label, then figures with their units. */
export function renderEvaluation(v: Evaluation): string {
  const constants = Object.entries(v.constants).sort((a, b) => b[1] - a[1]);
  const rows: [string, string][] = [
    ['model', v.model],
    ['data', `${v.data}, split ${v.split}, n ${v.n}`],
    ['accuracy', `${percent(v.accuracy)}  [${percent(v.accuracy_ci[0])}, ${percent(v.accuracy_ci[1])}] (Wilson 95 %)`],
    ['constants', constants.map(([name, score]) => `${name.replace('constant:', 'always ')} ${percent(score)}`).join(', ')],
    ['tokens', `mean ${v.tokens.mean.toFixed(1)}, median ${v.tokens.median}, p95 ${v.tokens.p95}, total ${v.tokens.total}`],
    ['tokens per correct', v.tokens_per_correct === null ? '–' : v.tokens_per_correct.toFixed(1)],
    ['invalid, truncated', `${percent(v.invalid_rate)}, ${percent(v.truncated_rate)}`],
  ];
  if (v.macro_f1 !== null) rows.push(['macro-F1', v.macro_f1.toFixed(3)]);
  if (v.legacy10 !== null)
    rows.push(['legacy10, legacy50', `${percent(v.legacy10)}, ${percent(v.legacy50)} (the seed project's grader, for the record)`]);
  if (v.letters !== null)
    rows.push([
      'answers',
      Object.entries(v.letters)
        .map(([letter, count]) => `${letter} ${count}`)
        .join(', '),
    ]);
  rows.push(['items', v.items]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`).join('\n');
}
