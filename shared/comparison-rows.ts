/** The table of a comparison, row by row: the terminal and the report show the same words and figures. */
import type { Comparison, ContaminationCheck, Evaluation, EvaluationMark } from './evaluation.ts';
import { countText, figureText, intervalText, percentText, pText, signed, verdictText } from './figures/number-text.ts';
import { AES_CONSTANTS } from './statistics/aes.ts';

export interface ComparisonRow {
  /** What it is, its unit in brackets. */
  label: string;
  before: string;
  after: string;
  /** Empty where a change has no meaning. */
  change: string;
  /** One line for whoever asks what this is. */
  meaning: string;
}

const points = (before: number | null, after: number | null): string =>
  before === null || after === null ? '' : signed(percentText(after - before));
const times = (before: number | null, after: number | null): string =>
  before === null || after === null || before <= 0 ? '' : `×${figureText(after / before)}`;

function shareRow(label: string, meaning: string, comparison: Comparison, value: (evaluation: Evaluation) => number | null): ComparisonRow {
  const [before, after] = [value(comparison.before), value(comparison.after)];
  return { label: `${label} (%)`, before: percentText(before), after: percentText(after), change: points(before, after), meaning };
}

function sizeRow(label: string, meaning: string, comparison: Comparison, value: (evaluation: Evaluation) => number | null): ComparisonRow {
  const [before, after] = [value(comparison.before), value(comparison.after)];
  return { label, before: figureText(before), after: figureText(after), change: times(before, after), meaning };
}

/** Rows in reading order: what was right, how long it was, what went wrong, what constants and the legacy grader make of it. */
export function comparisonRows(comparison: Comparison): ComparisonRow[] {
  const { before, after, accuracy_difference: difference, token_ratio: ratio } = comparison;
  const accuracy = (evaluation: Evaluation) => `${percentText(evaluation.accuracy)} ${intervalText(evaluation.accuracy_ci, percentText)}`;
  const signedPercent = (value: number) => signed(percentText(value));
  const rows: ComparisonRow[] = [
    {
      label: 'accuracy (%)',
      before: accuracy(before),
      after: accuracy(after),
      change: `${signedPercent(difference.value)} ${intervalText(difference.ci, signedPercent)}`,
      meaning: 'Right answers by the strict grader, with 95 % intervals: Wilson for each, paired bootstrap for the change',
    },
    {
      label: 'tokens, mean',
      before: figureText(before.tokens.mean),
      after: figureText(after.tokens.mean),
      change: `×${figureText(ratio.value)} ${intervalText(ratio.ci, figureText)}`,
      meaning: 'Completion tokens an answer, stop token included; the change is after ÷ before with its paired 95 % interval',
    },
    sizeRow('tokens, median', 'Half of the answers are no longer than this', comparison, (it) => it.tokens.median),
    sizeRow('tokens, p95', '95 % of the answers are no longer than this', comparison, (it) => it.tokens.p95),
    sizeRow('tokens per correct answer', 'All tokens ÷ right answers', comparison, (it) => it.tokens_per_correct),
    shareRow('truncated', 'Answers cut by the token cap: a saving that comes from here is none', comparison, (it) => it.truncated_rate),
    shareRow('invalid', 'Answers from which no answer could be read; they count as wrong', comparison, (it) => it.invalid_rate),
  ];
  if (before.macro_f1 !== null || after.macro_f1 !== null) {
    rows.push(shareRow('macro-F1', 'Mean F1 over the words, each weighing the same', comparison, (it) => it.macro_f1));
  }
  const constants = new Set([...Object.keys(before.constants), ...Object.keys(after.constants)]);
  for (const name of constants) {
    const row = shareRow(
      name,
      'What a responder that always gives this answer scores here',
      comparison,
      (it) => it.constants[name] ?? null,
    );
    rows.push({ ...row, change: '' });
  }
  const legacy =
    'The seed project’s rule: the gold letter or word anywhere in the first characters. For the record; it rewards text that answers nothing';
  rows.push(
    shareRow('legacy10', legacy, comparison, (it) => it.legacy10),
    shareRow('legacy50', legacy, comparison, (it) => it.legacy50),
    sizeRow(
      'accuracy per 100 tokens',
      'The seed project’s score, accuracy ÷ (mean tokens ÷ 100): grows without bound as answers shrink',
      comparison,
      (it) => it.seed_efficiency,
    ),
  );
  return rows;
}

const MARKS: Record<EvaluationMark, string> = {
  selected_on_reporting_split:
    'selected on its reporting split: the checkpoint was chosen by these very questions, so its result is too good',
  trained_on_reporting_split: 'trained on its reporting split: these very questions, or some of them, were in its training',
};
/** A mark in two words, for a table or a figure. */
const SHORT_MARKS: Record<EvaluationMark, string> = {
  selected_on_reporting_split: 'selected here',
  trained_on_reporting_split: 'trained here',
};
export const shortMarks = (marks: readonly EvaluationMark[]): string => marks.map((mark) => `⚠ ${SHORT_MARKS[mark]}`).join(' ');

/** A sentence for each mark of an evaluation. */
export const markSentences = ({ marks }: Pick<Evaluation, 'marks'>): string[] => marks.map((mark) => MARKS[mark]);

/** A sentence for each mark of either side. */
export const comparisonMarks = ({ before, after }: Comparison): string[] => [
  ...markSentences(before).map((text) => `before is ${text}`),
  ...markSentences(after).map((text) => `after is ${text}`),
];

const ROLES: Record<ContaminationCheck['role'], string> = { trained_on: 'trained on', selected_on: 'selected on', used: 'used' };

/**
 * What was found of training data among the questions reported, a sentence for all models of which the same was found. Overlaps first, then what
 * was not checked.
 */
export function contaminationSentences(checks: readonly ContaminationCheck[]): { text: string; overlap: boolean }[] {
  const groups = new Map<string, ContaminationCheck[]>();
  for (const check of checks) {
    const { model: _model, ...found } = check;
    const key = JSON.stringify(found);
    groups.set(key, [...(groups.get(key) ?? []), check]);
  }
  const weight = ({ found }: ContaminationCheck) => (found === null ? 1 : found > 0 ? 0 : 2);
  return [...groups.values()]
    .flatMap((group) => group.slice(0, 1).map((check) => ({ check, models: group.length })))
    .sort((a, b) => weight(a.check) - weight(b.check))
    .map(({ check, models }) => {
      const { model, role, used, reported, found, of, note } = check;
      const where = `${models === 1 ? model : `${models} models`}: ${ROLES[role]} ${used}, reported on ${reported}`;
      const overlap = found !== null && found > 0;
      const finding =
        found === null
          ? 'overlap not checked'
          : overlap
            ? `⚠ overlap: ${countText(found)} of ${countText(of ?? 0)} questions`
            : 'no overlap';
      return { text: `${finding} (${where})${note === '' ? '' : `: ${note}`}`, overlap };
    });
}

const pointsText = (fraction: number): string => String(Number((100 * fraction).toPrecision(3)));

/** What the set could have shown, and whether the loss is shown to be below the margin. */
export function powerSentence({ detectable_difference: difference, non_inferiority_p: p, margin, flips, before }: Comparison): string {
  const discordant = `${countText(flips.gained + flips.lost)} of ${countText(before.n)} questions changed`;
  return [
    difference === null
      ? `too few questions to detect any difference (${discordant})`
      : `detectable: a true difference of ${pointsText(difference)} points (80 % power, two-sided 5 %; ${discordant})`,
    ...(p === null ? [] : [`p of a loss of ${pointsText(margin)} points or more: ${pText(p)} (one-sided)`]),
  ].join(' · ');
}

/** The sentence under the table. */
export function verdictSentence(comparison: Comparison): string {
  const { flips, verdict, margin } = comparison;
  const { alpha, beta, gamma } = AES_CONSTANTS;
  return [
    `verdict: ${verdictText(verdict)} (margin ${pointsText(margin)} points)`,
    `McNemar p ${pText(comparison.mcnemar_p)}`,
    `gained ${countText(flips.gained)}, lost ${countText(flips.lost)}`,
    `AES ${figureText(comparison.aes)} (α ${alpha}, β ${beta}, γ ${gamma})`,
    ...(comparison.allowed.length > 0 ? [`differs in ${comparison.allowed.join(', ')}, as allowed`] : []),
  ].join(' · ');
}
