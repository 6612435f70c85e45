/** Many comparisons as text for the terminal: a table a data set, then what may be claimed of all of them. */
import { contaminationSentences, shortMarks } from '../../shared/comparison-rows.ts';
import type { ComparisonSet, ParetoSet, SeedGroup } from '../../shared/comparison-set.ts';
import { countText, figureText, intervalText, percentText, pText, signed, verdictText } from '../../shared/figures/number-text.ts';
import { figureTable } from './comparison-table.ts';

const signedPercent = (value: number): string => signed(percentText(value));
const points = (fraction: number): string => String(Number((100 * fraction).toPrecision(3)));

function dataTable(set: ComparisonSet, data: string): string[] {
  const front = new Map(set.pareto.find((one) => one.data === data)?.points.map((point) => [point.name, point]));
  const probability = (name: string): string => {
    const point = front.get(name);
    return point === undefined ? '—' : percentText(point.probability);
  };
  const at = set.holm.flatMap((row, i) => (row.data === data ? [i] : []));
  const first = set.comparisons[at[0] ?? -1];
  const reference = set.holm[at[0] ?? -1]?.reference ?? '';
  if (first === undefined) return [];
  const { before } = first;
  const rows = [
    [
      `${reference} (reference) ${shortMarks(before.marks)}`.trim(),
      `${percentText(before.accuracy)} ${intervalText(before.accuracy_ci, percentText)}`,
      figureText(before.tokens.mean),
      '',
      '',
      '',
      '',
      '',
      probability(reference),
      '',
    ],
    ...at.flatMap((i) => {
      const [row, one, power] = [set.holm[i], set.comparisons[i], set.detectable[i]];
      if (row === undefined || one === undefined) return [];
      const { after, accuracy_difference: difference, token_ratio: ratio } = one;
      return [
        [
          `${row.name} ${shortMarks(after.marks)}`.trim(),
          `${percentText(after.accuracy)} ${intervalText(after.accuracy_ci, percentText)}`,
          figureText(after.tokens.mean),
          `${signedPercent(difference.value)} ${intervalText(difference.ci, signedPercent)}`,
          `×${figureText(ratio.value)} ${intervalText(ratio.ci, figureText)}`,
          pText(row.adjusted),
          pText(row.non_inferiority.adjusted),
          power?.difference == null ? '—' : percentText(power.difference),
          probability(row.name),
          verdictText(one.verdict),
        ],
      ];
    }),
  ];
  const header = ['', 'accuracy (%)', 'tokens', 'points', 'tokens ×', 'Holm p', 'loss p', 'detectable', 'front (%)', 'verdict'];
  const constants = Object.entries(before.constants).sort((a, b) => b[1] - a[1])[0];
  return [
    `${data} · n = ${countText(before.n)}${constants === undefined ? '' : ` · ${constants[0]} scores ${percentText(constants[1])} %`}`,
    ...figureTable(header, rows),
  ];
}

function seedLines(group: SeedGroup): string[] {
  const { accuracy_difference: difference, token_ratio: ratio, shares, seed_sd } = group;
  const of = (part: { questions: number; seeds: number }) =>
    `${percentText(part.questions)} % questions, ${percentText(part.seeds)} % training seeds`;
  const sd = seed_sd.group === null ? '' : `; seeds alone move its accuracy by ± ${points(seed_sd.group)} points (standard deviation)`;
  return [
    `${group.name} on ${group.data}, ${group.members.length} seeds against ${group.reference.length === 1 ? group.reference[0] : `${group.reference.length} seeds`}: ${signedPercent(difference.value)} points ${intervalText(difference.ci, signedPercent)}, tokens ×${figureText(ratio.value)} ${intervalText(ratio.ci, figureText)}, Holm p ${pText(group.adjusted)}: ${verdictText(group.verdict)}`,
    `  accuracy by seed: ${group.members.map((member) => `${member.seed ?? '?'}: ${percentText(member.accuracy)}`).join(', ')}${sd}`,
    `  variance of the mean: accuracy ${of(shares.accuracy)}; tokens ${of(shares.tokens)}`,
  ];
}

function paretoLines(set: ParetoSet): string[] {
  const name = (point: ParetoSet['points'][number]) => `${point.name} (${percentText(point.probability)} %)`;
  const on = set.points.filter((point) => point.on_front);
  if (on.length === 0) return [];
  return [
    `${set.data}, front (right and short): ${on.map(name).join(', ')}`,
    ...set.points.filter((point) => !point.on_front).map((point) => `  ${name(point)} is dominated by ${point.dominated_by.join(', ')}`),
    ...(set.left_out.length === 0 ? [] : [`  without tokens, so left out: ${set.left_out.join(', ')}`]),
  ];
}

/** Every number is explained in docs/measurement.md. Percentages are in points; minus signs are U+2212. */
export function renderComparisonSet(set: ComparisonSet): string {
  const data = [...new Set(set.holm.map((row) => row.data))];
  const blocks = [
    ...data.map((name) => dataTable(set, name)),
    [
      `verdicts by the 95 % paired interval and a margin of ${points(set.margin)} points. Holm p: two-sided p of no difference, corrected for ${set.holm.length} comparisons (Holm 1979)${set.holm.some((row) => row.test === 'bootstrap') ? '; by bootstrap where questions share clusters' : ''}. loss p: one-sided p of a loss of the margin or more, corrected alike. detectable: points found with 80 % power. front: share of draws in which no other is as right and as short.`,
    ],
    set.seeds.flatMap(seedLines),
    set.pareto.flatMap(paretoLines),
    contaminationSentences(set.contamination).map(({ text }) => text),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}
