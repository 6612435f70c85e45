/** Finds an evaluation by what a user calls it: a JSON file, a folder, or a run. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { z } from 'zod';
import { Comparison, Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { RunEvent } from '../../shared/run-record.ts';

export interface LoadedEvaluation {
  evaluation: Evaluation;
  items: EvaluationItem[];
  /** The file that the evaluation was read from. */
  source: string;
}

async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}

/** Lines of a JSONL file, zod-checked. A torn last line is an error: a result with a part missing is no result. */
async function readLines<S extends z.ZodType>(path: string, schema: S, what: string): Promise<z.output<S>[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const rows: z.output<S>[] = [];
  lines.forEach((line, i) => {
    if (line.trim() !== '') rows.push(parseInput(schema, parseJson(line, `${path}, line ${i + 1}`), `${path}, line ${i + 1} (${what})`));
  });
  return rows;
}

/** The last evaluation of a run that still counts. Rows superseded by a resume do not; nor does a last line cut in half by a crash. */
async function evaluationOfRun(path: string): Promise<Evaluation> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const torn = lines.pop() ?? '';
  let events: RunEvent[] = [];
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    const where = `${path}, line ${i + 1}`;
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      // Closed by a newline when the run was resumed: what it held is told again by later lines.
      return;
    }
    const event = parseInput(RunEvent, json, where);
    if (event.type === 'resumed') events = events.filter((earlier) => earlier.seq <= event.supersedes_after_seq);
    events.push(event);
  });
  const found = events.findLast((event) => event.type === 'evaluation');
  if (found?.type === 'evaluation') return found.result;
  const unfinished = torn.trim() === '' ? '' : '; its last line is cut off';
  throw new InputError(`${dirname(path)}: this run holds no evaluation${unfinished}. Give a run of kind evaluate that has finished`, 'run');
}

/** Where the items lie: as written, or beside the file that names them (a folder that was moved keeps both together). */
async function itemsPath(evaluation: Evaluation, folder: string): Promise<string> {
  const candidates = isAbsolute(evaluation.items)
    ? [evaluation.items, join(folder, basename(evaluation.items))]
    : [join(folder, evaluation.items), resolve(evaluation.items), join(folder, basename(evaluation.items))];
  for (const path of candidates) if ((await kindOf(path)) === 'file') return path;
  throw new InputError(
    `${evaluation.items}: the answers that this evaluation names are not there (looked in ${folder} too); evaluate again`,
    'items',
  );
}

async function withItems(evaluation: Evaluation, source: string): Promise<LoadedEvaluation> {
  const path = await itemsPath(evaluation, dirname(source));
  const items = await readLines(path, EvaluationItem, 'answer');
  if (items.length !== evaluation.n) {
    throw new InputError(
      `${path}: ${items.length} answers, but ${source} says n = ${evaluation.n}; the file is torn, evaluate again`,
      'items',
    );
  }
  const right = items.filter((item) => item.correct).length;
  if (Math.abs(right / items.length - evaluation.accuracy) > 1e-9) {
    throw new InputError(
      `${path}: ${right} of ${items.length} are right, but ${source} says accuracy ${evaluation.accuracy}; these belong to another evaluation`,
      'items',
    );
  }
  return { evaluation, items, source };
}

async function fromFile(path: string): Promise<LoadedEvaluation> {
  const json = parseJson(await readFile(path, 'utf8'), path);
  if (Comparison.safeParse(json).success) {
    throw new InputError(`${path} is the result of compare; give the two evaluations it was made of`, 'evaluation');
  }
  return withItems(parseInput(Evaluation, json, `${path} (an evaluation)`), path);
}

async function fromFolder(folder: string): Promise<LoadedEvaluation> {
  const [evaluation, events] = [join(folder, 'evaluation.json'), join(folder, 'events.jsonl')];
  if ((await kindOf(evaluation)) === 'file') return fromFile(evaluation);
  if ((await kindOf(events)) === 'file') return withItems(await evaluationOfRun(events), events);
  throw new InputError(`${folder} holds neither evaluation.json nor events.jsonl; give what evaluate wrote, or a run`, 'evaluation');
}

/**
 * The evaluation that `ref` names and its answers, checked against each other. `ref` is the JSON document of `evaluate`, a folder with
 * `evaluation.json` and its items, a run folder, or the id of a run under `runs` (the last evaluation of the run).
 * @throws InputError naming the file, the line and what is wrong with it.
 */
export async function loadEvaluation(ref: string, { runs }: { runs: string }): Promise<LoadedEvaluation> {
  const kind = await kindOf(ref);
  if (kind === 'file') return fromFile(ref);
  if (kind === 'folder') return fromFolder(ref);
  const run = /^[^/\\]+$/.test(ref) && ref !== '' && ref !== '..' ? join(runs, ref) : null;
  if (run !== null && (await kindOf(run)) === 'folder') return fromFolder(run);
  throw new InputError(
    `${ref}: no such file or folder, and no run of that name under ${runs}; see "medlogictrace runs list"`,
    'evaluation',
  );
}
