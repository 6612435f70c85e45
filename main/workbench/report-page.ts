/** The report's page: sections in reading order, from the answer to the evidence to the recipe. */
import { comparisonRows, verdictSentence } from '../../shared/comparison-rows.ts';
import type { Comparison, Verdict } from '../../shared/evaluation.ts';
import type { Figure } from '../../shared/figures/figure.ts';
import { countText, figureText, intervalText, percentText, signed, verdictText } from '../../shared/figures/number-text.ts';
import type { ReportFigures, ReportSet } from '../../shared/report-data.ts';
import type { Report, ReportedComparison, StudyTable } from './report-content.ts';
import { embeddedJson, escapeHtml, scriptHash, tableHtml } from './report-html.ts';

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
</div></article>`;
}

const figureHtml = (figure: Figure, caption: string): string =>
  `<figure><div class="plot" data-figure="${escapeHtml(figure.id)}" data-height="${figure.layout.height ?? 300}" role="img" aria-label="${escapeHtml(figure.alt)}"></div>${caption === '' ? '' : `<figcaption>${escapeHtml(caption)}</figcaption>`}</figure>`;

function numbersOf({ name, comparison }: ReportedComparison): string {
  const rows = comparisonRows(comparison);
  return `<article class="numbers-table"><h3>${escapeHtml(name)} <span class="quiet">${escapeHtml(populationOf(comparison))}</span></h3>
${tableHtml(
  ['', 'before', 'after', 'change'],
  rows.map((row) => [row.label, row.before, row.after, row.change]),
  rows.map((row) => row.meaning),
)}
<p class="quiet">${escapeHtml(verdictSentence(comparison))}</p></article>`;
}

function populationOf({ before }: Comparison): string {
  const decoding = before.decoding;
  const how = decoding === null ? [] : [decoding.temperature === 0 ? 'greedy' : `temperature ${decoding.temperature}`];
  const cap = before.max_tokens === null ? [] : [`cap ${countText(before.max_tokens)} tokens`];
  return [`${before.split} split`, `n = ${countText(before.n)}`, ...how, ...cap, `grader ${before.grader}`].join(' · ');
}

const studyHtml = (study: StudyTable): string =>
  section(
    'study',
    study.title,
    `${tableHtml(study.columns, study.rows)}${study.caption ? `<p class="quiet">${escapeHtml(study.caption)}</p>` : ''}`,
  );

const section = (id: string, title: string, body: string): string => `<section id="${id}"><h2>${escapeHtml(title)}</h2>${body}</section>`;

/** `{a: {b: 1}}` as `[['a.b', '1']]`. */
function flattened(settings: Readonly<Record<string, unknown>>, prefix = ''): [string, string][] {
  return Object.entries(settings).flatMap(([key, value]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return flattened({ ...value }, `${prefix}${key}.`);
    return [[prefix + key, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]];
  });
}

function recipe(report: Report): string {
  const settings = flattened(report.settings);
  const commands = report.commands.length === 0 ? '' : `<pre class="commands">${escapeHtml(report.commands.join('\n'))}</pre>`;
  const list = settings.map(([key, value]) => `<div><dt>${escapeHtml(key)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('');
  return `${commands}${settings.length === 0 ? '' : `<details><summary>${settings.length} settings</summary><dl class="settings">${list}</dl></details>`}`;
}

/** The page, self-contained. Everything that came from outside is escaped here or put in the page as JSON and shown by textContent. */
export function reportPage(report: Report, drawn: ReportFigures, sets: readonly ReportSet[], { plotly, page, style }: PageScripts): string {
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
  const byId = (id: string) => figures.filter((figure) => figure.id === id);
  const models = [...new Set(report.comparisons.flatMap(({ comparison }) => [`${comparison.before.model} → ${comparison.after.model}`]))];
  const questions = sets.reduce((sum, set) => sum + set.questions.length, 0);
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
${section(
  'result',
  'Is it better, with fewer tokens?',
  `<div class="headlines">${report.comparisons.map(headline).join('')}</div>
${report.notes.length === 0 ? '' : `<div class="notes"><h3>About this result</h3>${report.notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('')}</div>`}
<div class="pair">${byId('before-after-accuracy')
    .map((figure) => figureHtml(figure, ''))
    .join('')}${byId('before-after-tokens')
    .map((figure) => figureHtml(figure, ''))
    .join('')}</div>
${byId('accuracy-tokens')
  .map((figure) => figureHtml(figure, ''))
  .join('')}`,
)}
${section('numbers', 'Numbers', `<div class="tables">${report.comparisons.map(numbersOf).join('')}</div>`)}
${report.study ? studyHtml(report.study) : ''}
${curves.length === 0 ? '' : section('curves', 'Learning curves', `<div class="curves">${curves.map((figure) => figureHtml(figure, figure.alt)).join('')}</div>`)}
${section('questions', 'Every question, before and after', `<div id="explorer"><p class="quiet">${countText(questions)} questions; open this file with scripts allowed to read them.</p></div>`)}
${section('recipe', 'How it was made', recipe(report))}
</main>
<script type="application/json" id="figure-data">${embeddedJson(drawn)}</script>
<script type="application/json" id="question-data">${embeddedJson(sets)}</script>
<script>${plotly}</script>
${page.map((script) => `<script type="module">${script}</script>`).join('\n')}
</body>
</html>
`;
}
