/** Making a run folder: whole or not at all. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import { RunRecord } from '../../shared/run-record.ts';
import { syncPath } from './checkpoint-folder.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const kindWord = { train: 'grpo', sft: 'sft', evaluate: 'evaluate' } as const;

/** Lower case, digits and single hyphens: what every file system and shell takes as one word. */
const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);

/** `2026-11-22-153012-grpo-ab12`: the time in UTC, so that ids sort by age on every machine, what it is, and four random digits. */
function newRunId(now: Date, word: string): string {
  const stamp = now.toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
  return `${stamp}-${word}-${randomBytes(2).toString('hex')}`;
}

/** An id for a run of this config, made now. `name`: a word for it; absent: `config.name`, else the kind of run. */
export const runIdFor = (config: RunRecord['config'], name?: string, now: Date = new Date()): string =>
  newRunId(now, slug(name ?? config.name ?? '') || kindWord[config.kind]);

export type NewRunRecord = Omit<RunRecord, 'id' | 'created'> & {
  /** Given ids must be new in `runsDir`; absent: made from time and name. */
  id?: string;
  /** A word for the id; absent: `config.name`, else the kind of run. */
  name?: string;
};

/**
 * Makes `<runsDir>/<id>` with `run.json` and empty logs and returns its path. It is built under a hidden name and renamed, so a folder
 * that can be seen is complete. Errors: an InputError for an id that is no plain word or is taken, or a record that fits no schema.
 */
export async function createRunFolder(runsDir: string, record: NewRunRecord): Promise<string> {
  const created = new Date();
  const { id: givenId, name, ...rest } = record;
  const id = givenId ?? runIdFor(rest.config, name, created);
  if (!ID.test(id)) throw new InputError(`run id "${id}" may hold only letters, digits, ".", "_" and "-"`, 'id');
  const whole = parseInput(RunRecord, { ...rest, id, created: created.toISOString() }, `record of run ${id}`);

  const runs = resolve(runsDir);
  const folder = join(runs, id);
  await mkdir(runs, { recursive: true });
  const building = join(runs, `.creating-${id}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(join(building, 'checkpoints'), { recursive: true });
    const file = await open(join(building, 'run.json'), 'wx');
    try {
      await file.writeFile(`${JSON.stringify(whole, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    for (const log of ['events.jsonl', 'completions.jsonl', 'control.jsonl', 'log.txt']) await writeFile(join(building, log), '');
    await syncPath(building);
    await rename(building, folder);
    await syncPath(runs);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') {
      throw new InputError(`run id "${id}" is taken: ${folder} exists; give another id or leave it out`, 'id');
    }
    throw error;
  }
  return folder;
}
