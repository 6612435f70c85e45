/** How much of a split stands in the other splits of its set: looked for in a process of its own, and remembered for as long as none of them changes. */
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { SplitContamination } from '../../shared/dataset-listing.ts';
import { InputError } from '../../shared/input-error.ts';
import { withoutSecrets } from '../../shared/secret-names.ts';
import { listDatasets } from '../data/catalogue.ts';
import { nodeProgram, programPath } from '../machine/programs.ts';
import { checkName } from './datasets-store.ts';

const Answer = z.union([z.object({ found: z.array(SplitContamination) }), z.object({ error: z.string(), input: z.boolean() })]);
const Kept = z.record(z.string(), z.array(SplitContamination));
/** Rises when the rule finds something else. */
const RULE = 1;
/** Ids are for a later filter, not for the list. */
const IDS_KEPT = 200;

const keptPath = (): string => join(process.env.MEDLOGICTRACE_CACHE || join(homedir(), '.cache', 'medlogictrace'), 'contamination.json');

function readKept(): Record<string, SplitContamination[]> {
  try {
    return Kept.parse(JSON.parse(readFileSync(keptPath(), 'utf8')));
  } catch {
    // Not there, or of another version: it can be looked for again.
    return {};
  }
}

function keep(key: string, found: SplitContamination[]): void {
  try {
    const path = keptPath();
    mkdirSync(join(path, '..'), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify({ ...readKept(), [key]: found }));
    renameSync(temporary, path);
  } catch {
    // A folder that cannot be written costs time at the next look and nothing else.
  }
}

const running = new Map<string, Promise<SplitContamination[]>>();

function lookInProcess(spec: string): Promise<SplitContamination[]> {
  return new Promise((done, fail) => {
    // Not a thread: Electron's own Node need not read these sources, and a crash in here must not take the window with it.
    const worker = fork(programPath('main/workbench/datasets-contamination-worker'), [spec], {
      execPath: nodeProgram(),
      execArgv: [],
      env: withoutSecrets(process.env),
    });
    worker.once('message', (message: unknown) => {
      const answer = Answer.parse(message);
      if ('found' in answer) done(answer.found);
      else fail(answer.input ? new InputError(answer.error, 'data') : new Error(answer.error));
    });
    worker.once('error', fail);
    // Comes after every message; `exit` may come before the last one.
    worker.once('disconnect', () => fail(new Error(`the search for ${spec} in its other splits ended without an answer`)));
  });
}

/** What is known of a split, null where nothing is; with `look` it is looked for. Errors: InputError for an unknown data set or split. */
export async function splitContamination(name: string, split: string, look: boolean): Promise<SplitContamination[] | null> {
  checkName(name);
  const spec = `${name}:${split}`;
  const [listing] = await listDatasets([name]);
  const key = JSON.stringify([RULE, spec, listing?.splits.map((one) => [one.split, one.hash])]);
  const known = readKept()[key];
  if (known !== undefined) return known;
  if (!look) return null;
  const search =
    running.get(key) ??
    lookInProcess(spec)
      .then((found) => {
        const short = found.map((one) =>
          one.finding === null ? one : { ...one, finding: { ...one.finding, ids: one.finding.ids.slice(0, IDS_KEPT) } },
        );
        keep(key, short);
        return short;
      })
      .finally(() => running.delete(key));
  running.set(key, search);
  return search;
}
