/** Writes the result of a comparison as one HTML file that opens without a network, years from now. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { answerSpan } from '../../shared/answer-span.ts';
import type { Comparison, EvaluationItem } from '../../shared/evaluation.ts';
import { accuracyTokensFigure } from '../../shared/figures/accuracy-tokens.ts';
import { type BeforeAfter, beforeAfterFigures } from '../../shared/figures/before-after.ts';
import type { Figure } from '../../shared/figures/figure.ts';
import { learningCurves } from '../../shared/figures/learning-curves.ts';
import { DARK, LIGHT, type Theme } from '../../shared/figures/theme.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { ReportAnswer, ReportFigures, ReportSet } from '../../shared/report-data.ts';
import { meanInterval } from '../../shared/statistics/describe.ts';
import type { Report, ReportedComparison } from './report-content.ts';
import { type PageScripts, reportPage } from './report-page.ts';

export type { Report, ReportedComparison, StudyTable } from './report-content.ts';

const measured = (comparison: Comparison, side: 'before' | 'after', items: readonly EvaluationItem[]) => ({
  accuracy: comparison[side].accuracy,
  accuracy_ci: comparison[side].accuracy_ci,
  tokens: comparison[side].tokens.mean,
  tokens_ci: meanInterval(items.map((item) => item.tokens)),
});

function figuresOf(theme: Theme, report: Report): Figure[] {
  const rows = report.comparisons.map(
    ({ name, comparison, beforeItems, afterItems }): BeforeAfter => ({
      name,
      n: comparison.before.n,
      before: measured(comparison, 'before', beforeItems),
      after: measured(comparison, 'after', afterItems),
      constants: comparison.before.constants,
    }),
  );
  const bars = rows.length > 0 ? beforeAfterFigures(theme, rows) : null;
  return [
    ...(bars ? [bars.accuracy, bars.tokens, accuracyTokensFigure(theme, rows)] : []),
    ...learningCurves(theme, { training: report.curves, validation: report.validation }),
  ];
}

function answerOf(question: Question, item: EvaluationItem): ReportAnswer {
  return {
    answer: item.answer,
    method: item.method,
    correct: item.correct,
    tokens: item.tokens,
    truncated: item.finish === 'length',
    text: item.text,
    span: answerSpan(item.text, item.answer, question.options),
  };
}

/** Every question that both models answered. @throws InputError for an answer whose question was not given. */
function questionsOf({ name, questions, beforeItems, afterItems }: ReportedComparison): ReportSet {
  const byId = new Map(questions.map((question) => [question.id, question]));
  const after = new Map(afterItems.map((item) => [item.id, item]));
  return {
    name,
    questions: beforeItems.flatMap((item) => {
      const question = byId.get(item.id);
      const second = after.get(item.id);
      if (question === undefined) throw new InputError(`report: ${name} has an answer to ${item.id}, but not the question`, 'questions');
      if (second === undefined) return [];
      return [
        {
          id: question.id,
          question: question.question,
          ...(question.contexts === undefined ? {} : { contexts: question.contexts }),
          ...(question.options === undefined ? {} : { options: question.options }),
          ...(question.solution === undefined ? {} : { solution: question.solution }),
          gold: question.gold,
          unit: question.unit ?? null,
          before: answerOf(question, item),
          after: answerOf(question, second),
        },
      ];
    }),
  };
}

/** The text of a file of the page. */
const reportFile = (name: string): Promise<string> => readFile(new URL(`../../renderer/report/${name}`, import.meta.url), 'utf8');

/** A browser script kept as TypeScript, its types taken out: needs no build. */
async function browserScript(name: string): Promise<string> {
  const source = await reportFile(`${name}.ts`);
  // Node announces this function as experimental on standard error; the announcement is for us, not for who reads a result.
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' }).replaceAll(/[ \t]+$/gm, '');
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function pageScripts(): Promise<PageScripts> {
  const plotly = createRequire(import.meta.url).resolve('plotly.js-basic-dist-min');
  return {
    plotly: await readFile(plotly, 'utf8'),
    page: [await browserScript('figures'), await browserScript('detail'), await browserScript('questions')],
    style: (await reportFile('report.css')) + (await reportFile('questions.css')),
  };
}

/**
 * Writes the report to `path`, whole or not at all. It holds its scripts, style, figures and every question; a strict
 * Content-Security-Policy lets nothing in it reach a network, and model texts are shown as text only.
 * @throws InputError for an answer whose question was not given.
 */
export async function writeReport(path: string, report: Report): Promise<void> {
  const figures: ReportFigures = { light: figuresOf(LIGHT, report), dark: figuresOf(DARK, report) };
  const html = reportPage(report, figures, report.comparisons.map(questionsOf), await pageScripts());
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, html, 'utf8');
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
