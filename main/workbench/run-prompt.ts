/** The prompt that a run put a question with, for the window. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AskedPrompt } from '../../shared/prompt-view.ts';
import type { Phase } from '../../shared/run-live.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { EMBEDDED } from './models.ts';
import { askedQuestion } from './run-completions.ts';
import type { RunnerService } from './runner-service.ts';

/**
 * Where the run's tokenizer may be found: in what the run has written, which is the one it used; then in the folder of the model that it
 * began with, where that is here. A run that came from another machine names a folder of that one.
 */
async function tokenizersOf(folder: string, { config, model }: RunRecord): Promise<{ model: string; of: 'run' | 'model' }[]> {
  const checkpoints = await readdir(join(folder, 'checkpoints')).catch(() => []);
  const written = [
    join(folder, 'model'),
    ...checkpoints
      .sort()
      .reverse()
      .map((name) => join(folder, 'checkpoints', name)),
  ];
  const own = written.find((path) => existsSync(join(path, 'tokenizer.json')));
  const base = existsSync(model.path) || !EMBEDDED.includes(config.model) ? model.path : config.model;
  return [...(own === undefined ? [] : [{ model: own, of: 'run' as const }]), { model: base, of: 'model' as const }];
}

/** Errors: the runner service's, where the worked examples' data set cannot be opened. */
export async function runPrompt(
  runner: RunnerService,
  folder: string,
  record: RunRecord,
  { phase, question: id }: { phase: Phase; question: string },
): Promise<AskedPrompt> {
  const { question, missing } = await askedQuestion(record, phase, id);
  if (question === null) return { seen: false, words: null, why: missing ?? 'the question is not here any more' };
  return runner.ask('prompt.asked', { config: record.config, question, tokenizers: await tokenizersOf(folder, record) });
}
