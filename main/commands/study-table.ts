/** The study's result and its table, in Markdown, as it stands in the README. */
import type { Comparison } from '../../shared/evaluation.ts';
import type { StudyResult } from '../../shared/experiment-result.ts';
import { mean } from '../../shared/statistics/describe.ts';

type Arm = StudyResult['arms'][number];

const TITLES: Record<string, string> = {
  grpo: 'GRPO with a length term (the demo)',
  'no-length': 'GRPO without the length term',
  'format-only': 'GRPO, reward for the format alone',
  'more-supervised': 'more supervised training, equal compute',
  'forced-habit': 'untrained, forced to multiply in parts',
};

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;
const points = (value: number): string => (100 * value).toFixed(1);

function seedRow(arm: Arm): string {
  const one = (c: Comparison) =>
    `${points(c.before.accuracy)} → ${points(c.after.accuracy)} | ${signed(c.accuracy_difference.value)} [${signed(c.accuracy_difference.ci[0])}, ${signed(c.accuracy_difference.ci[1])}] | ${c.before.tokens.mean.toFixed(1)} → ${c.after.tokens.mean.toFixed(1)} (${signed(c.token_ratio.value - 1)} %)`;
  const cut = `${points(arm.arithmetic.before.truncated_rate)} → ${points(arm.arithmetic.after.truncated_rate)}`;
  return `| ${arm.seed || '–'} | ${one(arm.arithmetic)} | ${cut} | ${one(arm.dosage)} |`;
}

/** One table a group: every seed of the demo, then the mean and range of each control. */
export function studyTable(result: StudyResult): string {
  const of = (name: string) => result.arms.filter((a) => a.arm === name);
  const head =
    '| seed | arithmetic, % right | gain, points [95 %] | tokens | truncated, % | dosage (transfer), % right | gain, points [95 %] | tokens |\n|---|---|---|---|---|---|---|---|';
  const demo = `${TITLES.grpo}\n\n${head}\n${of('grpo').map(seedRow).join('\n')}`;
  const range = (values: readonly number[], text: (v: number) => string) =>
    values.length === 1 ? text(values[0] as number) : `${text(mean(values))} (${text(Math.min(...values))} … ${text(Math.max(...values))})`;
  const rows = Object.entries(TITLES).flatMap(([name, title]) => {
    const arms = of(name);
    if (arms.length === 0) return [];
    const gain = (set: 'arithmetic' | 'dosage') =>
      range(
        arms.map((a) => a[set].accuracy_difference.value),
        signed,
      );
    const tokens = (set: 'arithmetic' | 'dosage') =>
      range(
        arms.map((a) => a[set].token_ratio.value - 1),
        signed,
      );
    const cut = range(
      arms.map((a) => a.arithmetic.after.truncated_rate),
      points,
    );
    return [
      `| ${title} | ${arms.length} | ${gain('arithmetic')} | ${tokens('arithmetic')} | ${cut} | ${gain('dosage')} | ${tokens('dosage')} |`,
    ];
  });
  const controls = `| arm | runs | arithmetic gain, points | arithmetic tokens, % | truncated after, % | dosage gain, points | dosage tokens, % |\n|---|---|---|---|---|---|---|\n${rows.join('\n')}`;
  return `${demo}\n\nAgainst its controls: mean (range over seeds)\n\n${controls}\n`;
}
