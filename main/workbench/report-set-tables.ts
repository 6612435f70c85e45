/** What may be claimed of many comparisons at once, as tables of the report. */
import { contaminationSentences, shortMarks } from '../../shared/comparison-rows.ts';
import type { ComparisonSet } from '../../shared/comparison-set.ts';
import { countText, figureText, intervalText, percentText, pText, signed, verdictText } from '../../shared/figures/number-text.ts';
import { escapeHtml, tableHtml } from './report-html.ts';

const signedPercent = (value: number): string => signed(percentText(value));
const named = (name: string, marks: string): string => (marks === '' ? name : `${name} ${marks}`);

function dataTable(set: ComparisonSet, data: string): string {
  const at = set.holm.flatMap((row, i) => (row.data === data ? [i] : []));
  const front = new Map(set.pareto.find((one) => one.data === data)?.points.map((point) => [point.name, point]));
  const onFront = (name: string): string => {
    const point = front.get(name);
    if (point === undefined) return '—';
    return percentText(point.probability);
  };
  const first = set.comparisons[at[0] ?? -1]?.before;
  const reference = set.holm[at[0] ?? -1]?.reference ?? '';
  const accuracy = (it: { accuracy: number; accuracy_ci: [number, number] }) =>
    `${percentText(it.accuracy)} ${intervalText(it.accuracy_ci, percentText)}`;
  const rows = at.flatMap((i) => {
    const [row, one] = [set.holm[i], set.comparisons[i]];
    if (row === undefined || one === undefined) return [];
    const { after, accuracy_difference: difference, token_ratio: ratio } = one;
    return [
      [
        named(row.name, shortMarks(after.marks)),
        accuracy(after),
        figureText(after.tokens.mean),
        `${signedPercent(difference.value)} ${intervalText(difference.ci, signedPercent)}`,
        `×${figureText(ratio.value)} ${intervalText(ratio.ci, figureText)}`,
        pText(row.p),
        pText(row.adjusted),
        pText(row.non_inferiority.adjusted),
        percentText(set.detectable[i]?.difference ?? null),
        verdictText(one.verdict),
        onFront(row.name),
      ],
    ];
  });
  const top =
    first === undefined
      ? []
      : [
          [
            named(`${reference} (reference)`, shortMarks(first.marks)),
            accuracy(first),
            figureText(first.tokens.mean),
            '',
            '',
            '',
            '',
            '',
            '',
            '',
            onFront(reference),
          ],
        ];
  const dominated = [...front.values()]
    .filter((point) => point.dominated_by.length > 0)
    .map((point) => `${point.name} is dominated by ${point.dominated_by.join(', ')}`);
  const header = [
    '',
    'accuracy (%)',
    'tokens',
    'change (points)',
    'tokens ×',
    'p',
    'p, Holm',
    'p of loss',
    'detectable',
    'verdict',
    'front (%)',
  ];
  return `<div class="set-table"><h3>${escapeHtml(data)} <span class="quiet">n = ${countText(first?.n ?? 0)}</span></h3>${tableHtml(header, [...top, ...rows])}${dominated.map((text) => `<p class="quiet">${escapeHtml(text)}</p>`).join('')}</div>`;
}

function seedTable(set: ComparisonSet): string {
  if (set.seeds.length === 0) return '';
  const share = (part: { questions: number; seeds: number }) => `${percentText(part.questions)} / ${percentText(part.seeds)}`;
  const rows = set.seeds.map((group) => [
    `${group.name} · ${group.data}`,
    String(group.members.length),
    `${signedPercent(group.accuracy_difference.value)} ${intervalText(group.accuracy_difference.ci, signedPercent)}`,
    `×${figureText(group.token_ratio.value)} ${intervalText(group.token_ratio.ci, figureText)}`,
    pText(group.adjusted),
    verdictText(group.verdict),
    percentText(group.seed_sd.group),
    share(group.shares.accuracy),
    share(group.shares.tokens),
  ]);
  const header = [
    '',
    'seeds',
    'change (points)',
    'tokens ×',
    'p, Holm',
    'verdict',
    'seed SD',
    'accuracy: questions / seeds (%)',
    'tokens: questions / seeds (%)',
  ];
  return `<div class="set-table"><h3>Several training seeds <span class="quiet">the intervals cover questions and seeds</span></h3>${tableHtml(header, rows)}
<p class="quiet">Shares: how much of the variance of the mean comes from which questions were asked, and how much from the seeds of training. Seed SD: how far one more seed moves the accuracy (points, standard deviation), the questions' chance taken out.</p></div>`;
}

/** A table a data set, one over seeds, and what was found of contamination. */
export function setTables(set: ComparisonSet): string {
  const data = [...new Set(set.holm.map((row) => row.data))];
  const contamination = contaminationSentences(set.contamination)
    .map(({ text, overlap }) => `<p class="${overlap ? 'mark' : 'quiet'}">${escapeHtml(text)}</p>`)
    .join('');
  return `${data.map((name) => dataTable(set, name)).join('')}
<p class="quiet legend">p: two-sided, of no difference; with Holm's correction over all ${set.holm.length} comparisons. p of loss: one-sided, of a loss of ${Number((100 * set.margin).toPrecision(3))} points or more, corrected alike; below 0.025 a model is shown non-inferior among all. Detectable: the least true difference in points found with 80 % power. Front: share of bootstrap draws in which no other is as right and as short.</p>
${seedTable(set)}
${contamination === '' ? '' : `<div class="set-table"><h3>Overlap of training and reported questions</h3>${contamination}</div>`}`;
}
