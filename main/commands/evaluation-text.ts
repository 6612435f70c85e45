/** One evaluation as a terminal shows it. */
import type { Evaluation, EvaluationMark, Interval, PositionBias, SampleSummary } from '../../shared/evaluation.ts';

const percent = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

const interval = ([low, high]: Interval): string => `[${percent(low)}, ${percent(high)}]`;

const MARKS: Record<EvaluationMark, string> = {
  selected_on_reporting_split: 'these questions chose the checkpoint: the accuracy is flattered',
  trained_on_reporting_split: 'these questions trained the model: the accuracy says nothing about others',
};

const sampleRows = (s: SampleSummary): [string, string][] => [
  [
    `${s.k} samples`,
    `${percent(s.accuracy.value)}  ${interval(s.accuracy.ci)} at temperature ${s.temperature}, mean ${s.tokens_mean.toFixed(1)} tokens`,
  ],
  ['pass@k', s.pass_at.map(({ k, value }) => `${k}: ${percent(value)}`).join(', ')],
  ['self-consistency', `${percent(s.self_consistency.value)}  ${interval(s.self_consistency.ci)}`],
];

const positionRows = (p: PositionBias): [string, string][] => [
  [
    'gold at',
    Object.entries(p.by_position)
      .map(([letter, { n, accuracy }]) => `${letter} ${percent(accuracy)} (n ${n})`)
      .join(', '),
  ],
  ['same option', `${percent(p.consistency)} of questions, over ${p.rotations} rotations`],
];

/** Aligned lines: a label, then figures with their units. */
export function renderEvaluation(v: Evaluation): string {
  const constants = Object.entries(v.constants).sort((a, b) => b[1] - a[1]);
  const asked = [v.mode === 'likelihood' ? 'likelihood of the options' : 'written answers', `${v.template} prompt`];
  if (v.few_shot !== null) asked.push(`${v.few_shot.k} examples from ${v.few_shot.data}`);
  const rows: [string, string][] = [
    ['model', v.model],
    ['data', `${v.data}, split ${v.split}, n ${v.n}`],
    ['asked for', asked.join(', ')],
    ['accuracy', `${percent(v.accuracy)}  ${interval(v.accuracy_ci)} (Wilson 95 %)`],
    ...v.marks.map((mark): [string, string] => ['mark', MARKS[mark]]),
    ['constants', constants.map(([name, score]) => `${name.replace('constant:', 'always ')} ${percent(score)}`).join(', ')],
  ];
  if (v.mode === 'generation') {
    rows.push(
      ['tokens', `mean ${v.tokens.mean.toFixed(1)}, median ${v.tokens.median}, p95 ${v.tokens.p95.toFixed(1)}, total ${v.tokens.total}`],
      ['tokens per correct', v.tokens_per_correct === null ? '–' : v.tokens_per_correct.toFixed(1)],
      ['invalid, truncated', `${percent(v.invalid_rate)}, ${percent(v.truncated_rate)}`],
    );
  }
  if (v.acc_norm !== null) rows.push(['acc_norm', `${percent(v.acc_norm)} (log-likelihood per character)`]);
  if (v.calibration !== null) rows.push(['calibration error', `${percent(v.calibration.ece)} (ECE)`]);
  if (v.samples !== null) rows.push(...sampleRows(v.samples));
  for (const { tokens, accuracy, forced } of v.budgets ?? [])
    rows.push([`cut at ${tokens} tokens`, `${percent(accuracy)}, ${percent(forced ?? null)} made to answer`]);
  if (v.position_bias !== null) rows.push(...positionRows(v.position_bias));
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
