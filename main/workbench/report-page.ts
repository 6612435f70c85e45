/** The report's page: sections in reading order, from the answer to the evidence to the recipe. */
import { comparisonMarks, comparisonRows, contaminationSentences, powerSentence, verdictSentence } from '../../shared/comparison-rows.ts';
import type { Comparison, Verdict } from '../../shared/evaluation.ts';
import type { Figure } from '../../shared/figures/figure.ts';
import { countText, figureText, intervalText, percentText, signed, verdictText } from '../../shared/figures/number-text.ts';
import { LIGHT, seriesColour } from '../../shared/figures/theme.ts';
import type { ReportFigures, ReportQuestions } from '../../shared/report-data.ts';
import type { Report, ReportedComparison, StudyTable } from './report-content.ts';
import { embeddedJson, escapeHtml, scriptHash, tableHtml } from './report-html.ts';
import { recipeHtml } from './report-recipe.ts';
import { setTables } from './report-set-tables.ts';

export interface PageScripts {
  plotly: string;
  /** Modules, run in this order. */
  page: readonly string[];
  style: string;
}

/** A shape for each verdict: colour alone carries no meaning. */
const GLYPH: Record<Verdict, string> = { better: '▲', non_inferior: '●', inferior: '▼', inconclusive: '◇' };

const signedPercent = (value: number): string => signed(percentText(value));

function headline({ name, comparison }: ReportedComparison): string {
  const { accuracy_difference: accuracy, token_ratio: tokens, verdict, before, after } = comparison;
  const change = (value: number) => signed(percentText(value - 1));
  return `<article class="headline ${verdict}">
<h3>${escapeHtml(name)} <span class="quiet">n = ${countText(before.n)}</span><span class="verdict"><span aria-hidden="true">${GLYPH[verdict]}</span> ${verdictText(verdict)}</span></h3>
<div class="numbers">
<p><span class="label">Accuracy (points)</span><b>${signedPercent(accuracy.value)}</b><span class="interval">${intervalText(accuracy.ci, signedPercent)}</span><span class="from">${percentText(before.accuracy)} → ${percentText(after.accuracy)} %</span></p>
<p><span class="label">Tokens an answer (%)</span><b>${change(tokens.value)}</b><span class="interval">${intervalText(tokens.ci, change)}</span><span class="from">${figureText(before.tokens.mean)} → ${figureText(after.tokens.mean)}</span></p>
</div>
${warnings(comparisonMarks(comparison))}</article>`;
}

/** What a reader must see beside a result: a line each. */
const warnings = (texts: readonly string[]): string => texts.map((text) => `<p class="mark">⚠ ${escapeHtml(text)}</p>`).join('');

const figureHtml = (figure: Figure, caption: string): string =>
  `<figure><div class="plot" data-figure="${escapeHtml(figure.id)}" style="min-height:${figure.layout.height ?? 300}px" role="img" aria-label="${escapeHtml(figure.alt)}"></div>${caption === '' ? '' : `<figcaption>${escapeHtml(caption)}</figcaption>`}</figure>`;

function numbersOf({ name, comparison }: ReportedComparison): string {
  const rows = comparisonRows(comparison);
  return `<article class="numbers-table"><h3>${escapeHtml(name)} <span class="quiet">${escapeHtml(populationOf(comparison))}</span></h3>
${tableHtml(
  ['', 'before', 'after', 'change'],
  rows.map((row) => [row.label, row.before, row.after, row.change]),
  rows.map((row) => row.meaning),
)}
<p class="quiet">${escapeHtml(verdictSentence(comparison))}</p>
<p class="quiet">${escapeHtml(powerSentence(comparison))}</p>
${contaminationSentences(comparison.contamination)
  .map(({ text, overlap }) => `<p class="${overlap ? 'mark' : 'quiet'}">${escapeHtml(text)}</p>`)
  .join('')}</article>`;
}

function populationOf({ before }: Comparison): string {
  const decoding = before.decoding;
  const how = decoding === null ? [] : [decoding.temperature === 0 ? 'greedy' : `temperature ${decoding.temperature}`];
  const cap = before.max_tokens === null ? [] : [`cap ${countText(before.max_tokens)} tokens`];
  return [`${before.split} split`, `n = ${countText(before.n)}`, ...how, ...cap, `grader ${before.grader}`].join(' · ');
}

/** Which colour is whose, where several runs share the figures. */
const runKey = ({ runs }: Report): string =>
  runs.length < 2
    ? ''
    : `<p class="key">${runs.map(({ name }, i) => `<span><i style="background:${seriesColour(LIGHT, i)}"></i>${escapeHtml(name)}</span>`).join('')}</p>`;

const studyHtml = (study: StudyTable): string =>
  section(
    'study',
    study.title,
    `${tableHtml(study.columns, study.rows)}${study.caption ? `<p class="quiet">${escapeHtml(study.caption)}</p>` : ''}`,
  );

const section = (id: string, title: string, body: string): string => `<section id="${id}"><h2>${escapeHtml(title)}</h2>${body}</section>`;

/** Cards are for a handful; more comparisons are read in the table and the figures. */
const MOST_CARDS = 6;

function results(report: Report, figures: readonly Figure[]): string {
  const pair = (name: string) => {
    const found = figures.filter((figure) => figure.id.startsWith(name));
    return found.length === 0 ? '' : `<div class="pair">${found.map((figure) => figureHtml(figure, '')).join('')}</div>`;
  };
  const wide = figures.filter((figure) => figure.id === 'accuracy-tokens' || figure.id.startsWith('pareto-'));
  const { set, comparisons } = report;
  const cards = comparisons.length <= MOST_CARDS ? `<div class="headlines">${comparisons.map(headline).join('')}</div>` : '';
  const marks =
    comparisons.length <= MOST_CARDS
      ? []
      : comparisons.flatMap(({ name, comparison }) => comparisonMarks(comparison).map((text) => `${name}: ${text}`));
  const overlaps = contaminationSentences(set?.contamination ?? []).flatMap(({ text, overlap }) => (overlap ? [text] : []));
  return `${cards}${warnings([...marks, ...overlaps.map((text) => text.replace(/^⚠ /, ''))])}
${report.notes.length === 0 ? '' : `<div class="notes"><h3>About this result</h3>${report.notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('')}</div>`}
${pair('milestone-')}
${pair('changes-')}
${wide.map((figure) => figureHtml(figure, figure.id.startsWith('pareto-') ? figure.alt : '')).join('\n')}`;
}

function numbers(report: Report): string {
  const tables = `<div class="tables">${report.comparisons.map(numbersOf).join('')}</div>`;
  if (report.set === undefined) return tables;
  return `${setTables(report.set)}<details class="more"><summary>Every number of each of the ${report.comparisons.length} comparisons</summary>${tables}</details>`;
}

/** The page, self-contained. Everything that came from outside is escaped here or put in the page as JSON and shown by textContent. */
export function reportPage(report: Report, drawn: ReportFigures, asked: ReportQuestions, { plotly, page, style }: PageScripts): string {
  const scripts = [plotly, ...page];
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(scriptHash).join(' ')}`,
    // Plotly sets styles on its elements; a style cannot reach the network, since no source is allowed to be fetched.
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const figures = drawn.light;
  const curves = figures.filter((figure) => figure.id.startsWith('curve-'));
  const changed = [...new Set(report.comparisons.map(({ comparison }) => `${comparison.before.model} → ${comparison.after.model}`))];
  const models = changed.length > 3 ? [] : changed;
  const questions = asked.banks.reduce((sum, bank) => sum + bank.questions.length, 0);
  const contents: [string, string][] = [
    ['result', 'Result'],
    ['numbers', 'Numbers'],
    ...(report.study ? [['study', 'Study'] as [string, string]] : []),
    ...(curves.length > 0 ? [['curves', 'Learning curves'] as [string, string]] : []),
    ['questions', 'Questions'],
    ['recipe', 'Recipe'],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(report.title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(report.title)}</h1>
<p class="quiet models">${escapeHtml(models.join(' · '))}</p>
<p class="notice"><b>Research software, not for clinical use.</b> Nothing here may guide the care of a patient.</p>
<nav aria-label="Contents">${contents.map(([id, name]) => `<a href="#${id}">${name}</a>`).join('')}</nav>
</header>
<main>
<noscript><p class="notice">Figures and questions need scripts; the tables do not.</p></noscript>
${section('result', 'Is it better, with fewer tokens?', results(report, figures))}
${section('numbers', 'Numbers', numbers(report))}
${report.study ? studyHtml(report.study) : ''}
${curves.length === 0 ? '' : section('curves', 'Learning curves', `${runKey(report)}<div class="curves">${curves.map((figure) => figureHtml(figure, figure.alt)).join('')}</div>`)}
${section('questions', 'Every question, before and after', `<div id="explorer"><p class="quiet">${countText(questions)} questions; open this file with scripts allowed to read them.</p></div>`)}
${section('recipe', 'How it was made', recipeHtml(report))}
</main>
<script type="application/json" id="figure-data">${embeddedJson(drawn)}</script>
<script type="application/json" id="question-data">${embeddedJson(asked)}</script>
<script>${plotly}</script>
${page.map((script) => `<script type="module">${script}</script>`).join('\n')}
</body>
</html>
`;
}
