/** Everything in the runs folder that can be compared: evaluations wherever they lie in it, and training runs. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { dataName } from '../../shared/data-groups.ts';
import { Evaluation } from '../../shared/evaluation.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { CompareList, ListedEvaluation, ListedTraining } from '../../shared/rpc/compare.ts';
import { readRecord } from './run-files.ts';

/** Folders deeper than this are not looked through: a study keeps `<study>/seed-1/before-arithmetic`. */
const DEEPEST = 4;
/** Hold weights, never results. */
const WITHOUT = new Set(['checkpoints', 'model', 'node_modules']);

const ListedRecord = z.object({
  created: z.string(),
  seed: z.number(),
  config: z.object({
    kind: z.enum(['train', 'sft', 'evaluate']),
    name: z.string().optional(),
    model: z.string().optional(),
    data: z.object({ train: z.string().optional() }).optional(),
  }),
});

/** What is known of an evaluation's file as long as it does not change. */
const read = new Map<string, { stamp: string; found: Omit<ListedEvaluation, 'ref'> }>();

async function evaluationAt(path: string, ref: string): Promise<ListedEvaluation> {
  const { mtimeMs, size } = await stat(path);
  const stamp = `${mtimeMs} ${size}`;
  const known = read.get(path);
  if (known?.stamp === stamp) return { ref, ...known.found };
  const evaluation = parseInput(Evaluation, parseJson(await readFile(path, 'utf8'), path), `${path} (an evaluation)`);
  const { model, mode, n, accuracy, tokens, max_tokens, marks } = evaluation;
  const found = { model, data: dataName(evaluation), mode, n, accuracy, tokens: tokens.mean, max_tokens, marks, made: mtimeMs };
  read.set(path, { stamp, found });
  return { ref, ...found };
}

function trainingAt(folder: string, ref: string): ListedTraining | null {
  const { created, seed, config } = readRecord(folder, ListedRecord);
  if (config.kind === 'evaluate') return null;
  const { kind, name, model, data } = config;
  return { ref, kind, name: name ?? null, model: model ?? 'tiny', data: data?.train ?? '', seed, made: Date.parse(created) };
}

/** Newest first. What cannot be read is named with its reason and hides no other. Errors: the system's, other than for a folder that is not there. */
export async function listComparable(runsDir: string): Promise<CompareList> {
  const root = resolve(runsDir);
  const list: CompareList = { runs_dir: root, evaluations: [], training: [], unreadable: [] };
  const attempt = async (ref: string, what: () => Promise<void>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      list.unreadable.push({ ref, message: error instanceof Error ? error.message : String(error) });
    }
  };
  const look = async (ref: string, depth: number): Promise<void> => {
    const folder = join(root, ref);
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && depth === 0) return [];
      if (depth === 0) throw error;
      list.unreadable.push({ ref, message: error.message });
      return [];
    });
    const holds = (name: string): boolean => entries.some((entry) => entry.name === name && entry.isFile());
    if (depth > 0 && holds('evaluation.json')) {
      await attempt(ref, async () => void list.evaluations.push(await evaluationAt(join(folder, 'evaluation.json'), ref)));
    } else if (depth > 0 && holds('run.json')) {
      await attempt(ref, async () => {
        const training = trainingAt(folder, ref);
        if (training !== null) list.training.push(training);
      });
    }
    if (depth === DEEPEST) return;
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name.includes('\\') || WITHOUT.has(entry.name)) continue;
      await look(ref === '' ? entry.name : `${ref}/${entry.name}`, depth + 1);
    }
  };
  await look('', 0);
  list.evaluations.sort((a, b) => b.made - a.made || (a.ref < b.ref ? -1 : 1));
  list.training.sort((a, b) => b.made - a.made || (a.ref < b.ref ? -1 : 1));
  list.unreadable.sort((a, b) => (a.ref < b.ref ? -1 : 1));
  return list;
}
