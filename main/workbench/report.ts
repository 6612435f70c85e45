/** Writes the result of a comparison as one HTML file that opens without a network, years from now. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { answerSpan } from '../../shared/answer-span.ts';
import type { EvaluationItem } from '../../shared/evaluation.ts';
import { DARK, LIGHT } from '../../shared/figures/theme.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { ReportAnswer, ReportBank, ReportFigures, ReportQuestions, ReportSet } from '../../shared/report-data.ts';
import type { Report, ReportedComparison } from './report-content.ts';
import { reportFigures } from './report-figures.ts';
import { type PageScripts, reportPage } from './report-page.ts';

export type { Report, ReportedComparison, ReportedRun, StudyTable } from './report-content.ts';

/** An answer as a reader sees it, with the place of what was extracted from it. */
export function answerOf(question: Question, item: EvaluationItem): ReportAnswer {
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

const questionText = ({ id, question, contexts, options, solution, gold, unit }: Question) => ({
  id,
  question,
  ...(contexts === undefined ? {} : { contexts }),
  ...(options === undefined ? {} : { options }),
  ...(solution === undefined ? {} : { solution }),
  gold,
  unit: unit ?? null,
});

/** Every question once, and the answers of every model once. @throws InputError for an answer whose question was not given. */
function questionsOf(comparisons: readonly ReportedComparison[]): ReportQuestions {
  const banks = new Map<readonly Question[], { place: number; bank: ReportBank; columns: Map<readonly EvaluationItem[], number> }>();
  const sets = comparisons.map(({ name, questions, beforeItems, afterItems }): ReportSet => {
    const known = banks.get(questions) ?? {
      place: banks.size,
      bank: { questions: questions.map(questionText), answers: [] },
      columns: new Map<readonly EvaluationItem[], number>(),
    };
    banks.set(questions, known);
    const { bank, columns } = known;
    const column = (items: readonly EvaluationItem[]): number => {
      const there = columns.get(items);
      if (there !== undefined) return there;
      const byId = new Map(items.map((item) => [item.id, item]));
      bank.answers.push(
        questions.map((question) => {
          const item = byId.get(question.id);
          return item === undefined ? null : answerOf(question, item);
        }),
      );
      columns.set(items, bank.answers.length - 1);
      return bank.answers.length - 1;
    };
    const ids = new Set(questions.map((question) => question.id));
    const stray = beforeItems.find((item) => !ids.has(item.id));
    if (stray !== undefined) throw new InputError(`report: ${name} has an answer to ${stray.id}, but not the question`, 'questions');
    return { name, bank: known.place, before: column(beforeItems), after: column(afterItems) };
  });
  return { banks: [...banks.values()].map(({ bank }) => bank), sets };
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
 * The report as one page. It holds its scripts, style, figures and every question; a strict Content-Security-Policy lets nothing in it
 * reach a network, and model texts are shown as text only.
 * @throws InputError for an answer whose question was not given.
 */
export async function renderReport(report: Report): Promise<string> {
  const figures: ReportFigures = { light: reportFigures(LIGHT, report), dark: reportFigures(DARK, report) };
  return reportPage(report, figures, questionsOf(report.comparisons), await pageScripts());
}

/** Writes the report to `path`, whole or not at all. @throws InputError as renderReport does. */
export async function writeReport(path: string, report: Report): Promise<void> {
  const html = await renderReport(report);
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, html, 'utf8');
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
