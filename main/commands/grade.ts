/** `medlogictrace grade`: scores given texts with the strict grader and, beside it, the legacy one. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { AnswerLine, type AnswersGrading } from '../../shared/answers-grading.ts';
import { grade } from '../../shared/grading/grader.ts';
import { legacyCorrect } from '../../shared/grading/legacy.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import { openDataset } from '../data/catalogue.ts';
import { type RawRow, rowPlace } from '../data/raw-row.ts';
import { rowsOfFile } from '../data/row-file.ts';
import type { Io } from './io.ts';

async function* rowsOf(path: string): AsyncGenerator<RawRow> {
  for await (const batch of rowsOfFile(path)) yield* batch;
}

/**
 * Scores the answers file `answers` (a line `{id, text}` each) against the data set `data` (a catalogue name or path, each
 * with an optional split). Errors: InputError for an empty or broken file, an id that the data set lacks, an id given twice.
 */
export async function gradeAnswers({ data, answers }: { data: string; answers: string }): Promise<AnswersGrading> {
  const dataset = await openDataset(data);
  const byId = new Map(dataset.questions.map((question) => [question.id, question]));
  const places = new Map<string, string>();
  let correct = 0;
  let invalid = 0;
  let legacy10 = 0;
  let legacy50 = 0;
  for await (const raw of rowsOf(answers)) {
    const place = rowPlace(raw);
    const where = `${basename(answers)} ${place}`;
    if (raw.fault !== null) throw new InputError(`${where}: ${raw.fault.message}`, 'answers');
    const { id, text } = parseInput(AnswerLine, raw.value, where);
    const question = byId.get(id);
    if (!question) {
      throw new InputError(`${where}: ${dataset.name}:${dataset.split} has no question "${id}". Give ids of that split.`, 'answers');
    }
    const before = places.get(id);
    if (before !== undefined) {
      throw new InputError(`${where}: question "${id}" was answered in ${before} already. Give one answer a question.`, 'answers');
    }
    places.set(id, place);
    const verdict = grade(text, question);
    if (verdict.correct) correct++;
    if (verdict.answer === 'invalid') invalid++;
    if (legacyCorrect(text, question.gold, 10)) legacy10++;
    if (legacyCorrect(text, question.gold, 50)) legacy50++;
  }
  const n = places.size;
  const words = dataset.questions.every((question) => question.kind === 'letter' || question.kind === 'word');
  return {
    n,
    missing: dataset.questions.length - n,
    accuracy: correct / n,
    invalid_rate: invalid / n,
    legacy10: words ? legacy10 / n : null,
    legacy50: words ? legacy50 / n : null,
  };
}

const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toFixed(1)} %`);

function describe(found: AnswersGrading): string {
  const rows: [string, string][] = [
    ['answers', String(found.n)],
    ['unanswered', String(found.missing)],
    ['accuracy', percent(found.accuracy)],
    ['invalid', percent(found.invalid_rate)],
    ['legacy10', percent(found.legacy10)],
    ['legacy50', percent(found.legacy50)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n');
}

export function register(program: Command, io: Io): void {
  program
    .command('grade')
    .description('score given answers with the strict grader; the legacy grader stands beside it')
    .requiredOption('--data <name|path[:split]>', 'the questions')
    .requiredOption('--answers <file>', 'JSONL, one {"id", "text"} a line')
    .action(async (options: { data: string; answers: string }) => {
      const found = await gradeAnswers(options);
      io.out(found, () => describe(found));
    });
}
