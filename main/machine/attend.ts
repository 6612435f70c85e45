/**
 * `node attend.ts VERB`, its question as JSON on standard input: what a workbench elsewhere asks of this machine about its runs
 * (shared/remote-run.ts). Every verb may be asked twice with the effect of once: a reply can be lost on the way.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import {
  type AttendInput,
  type AttendOutput,
  type AttendReply,
  type AttendVerb,
  attendVerbs,
  type FileProof,
  type FoundRun,
  MirrorName,
  NOT_MIRRORED,
  WatchRequest,
} from '../../shared/remote-run.ts';
import { parseJsonl } from '../../shared/run-lines.ts';
import { ControlLine } from '../../shared/run-record.ts';
import { appendControl } from './control-file.ts';
import { setSlots, viewQueue } from './queue-folder.ts';
import { cancelWaiting, ensureScheduler, startInQueue } from './queue-start.ts';
import { signOf } from './run-sign.ts';
import { watchRuns } from './run-watch.ts';

const textOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null);

/** A run.json is a few kilobytes; something far larger is none of ours. */
const LARGEST_RECORD = 4 << 20;

async function foundRuns(runs: string, queue: string): Promise<FoundRun[]> {
  const entries = existsSync(runs) ? await readdir(runs, { withFileTypes: true }) : [];
  return entries.flatMap((entry): FoundRun[] => {
    const folder = join(runs, entry.name);
    const found = statSync(join(folder, 'run.json'), { throwIfNoEntry: false });
    if (!entry.isDirectory() || entry.name.startsWith('.') || !found?.isFile() || found.size > LARGEST_RECORD) return [];
    const events = statSync(join(folder, 'events.jsonl'), { throwIfNoEntry: false })?.size ?? 0;
    const record = readFileSync(join(folder, 'run.json'), 'utf8');
    return [{ run: entry.name, folder, record, exit: textOf(join(folder, 'exit.json')), sign: signOf(folder, queue), events }];
  });
}

async function control({ folder, queue, verb, time }: AttendInput<'control'>): Promise<AttendOutput<'control'>> {
  if (!existsSync(join(folder, 'run.json'))) throw new InputError(`${folder} is not a run folder: it has no run.json`, 'run');
  const ended = (): string | null => textOf(join(folder, 'exit.json'));
  if (ended() === null && !(verb === 'stop' && cancelWaiting(folder, queue))) {
    const { rows } = parseJsonl(textOf(join(folder, 'control.jsonl')) ?? '', ControlLine);
    // The line of a question whose answer was lost.
    if (!rows.some((row) => row.verb === verb && row.time === time)) await appendControl(folder, { verb, time });
  }
  return { sign: signOf(folder, queue), exit: ended() };
}

async function fileProof(folder: string, name: string): Promise<FileProof> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(join(folder, name), { highWaterMark: 1 << 20 })) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { name, bytes, sha256: hash.digest('hex') };
}

/** Plain files below a folder, `/` between parts; links are left out. */
async function filesBelow(folder: string, below = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of (await readdir(join(folder, below), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) names.push(...(await filesBelow(folder, name)));
    else if (entry.isFile()) names.push(name);
  }
  return names;
}

async function proof({ folder, below }: AttendInput<'proof'>): Promise<AttendOutput<'proof'>> {
  if (below !== null) {
    const place = join(folder, below);
    if (!(await lstat(place).catch(() => null))?.isDirectory()) throw new InputError(`there is no folder ${place}`, 'checkpoint');
    return { files: await Promise.all((await filesBelow(place)).map((name) => fileProof(place, name))) };
  }
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && MirrorName.safeParse(entry.name).success && !NOT_MIRRORED.includes(entry.name))
    .map((entry) => entry.name)
    .filter((name) => !name.endsWith('.tmp'));
  const files: FileProof[] = [];
  for (const name of names.sort()) files.push(await fileProof(folder, name));
  return { files };
}

const verbs: { [V in AttendVerb]: (input: ReturnType<(typeof attendVerbs)[V]['input']['parse']>) => Promise<AttendOutput<V>> } = {
  runs: async ({ runs, queue }) => ({ runs: await foundRuns(runs, queue) }),
  start: (input) => startInQueue(input),
  control: (input) => control(input),
  proof: (input) => proof(input),
  queue: async ({ queue }) => {
    ensureScheduler(queue);
    return viewQueue(queue);
  },
  slots: async ({ queue, slots }) => {
    setSlots(queue, slots);
    ensureScheduler(queue);
    return viewQueue(queue);
  },
};

/** Resolves once the reader has room again: nothing is piled up for one who does not read. */
function write(value: object): Promise<number> {
  const line = `${JSON.stringify(value)}\n`;
  if (process.stdout.write(line)) return Promise.resolve(line.length);
  return new Promise((done) => process.stdout.once('drain', () => done(line.length)));
}

async function watch(question: unknown): Promise<void> {
  const stop = new AbortController();
  // The connection is gone, and its reader with it.
  process.stdout.on('error', () => process.exit(0));
  for (const name of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.on(name, () => process.exit(0));
  await watchRuns(parseInput(WatchRequest, question, 'watch'), write, stop.signal);
}

async function answer(verb: AttendVerb, question: unknown): Promise<unknown> {
  const schema = attendVerbs[verb];
  const work = verbs[verb] as (input: unknown) => Promise<unknown>;
  return schema.output.parse(await work(parseInput(schema.input as typeof attendVerbs.queue.input, question, verb)));
}

async function main(verb: string | undefined): Promise<void> {
  const question = parseJson(await text(process.stdin), 'the question');
  if (verb === 'watch') return watch(question);
  if (verb === undefined || !Object.hasOwn(attendVerbs, verb)) throw new InputError(`unknown verb ${JSON.stringify(verb)}`, 'verb');
  await write({ kind: 'ok', data: await answer(verb as AttendVerb, question) } satisfies AttendReply);
}

const errorOf = (error: unknown): AttendReply =>
  error instanceof InputError
    ? { kind: 'error', code: 'input', message: error.message, ...(error.field === undefined ? {} : { field: error.field }) }
    : { kind: 'error', code: 'failed', message: error instanceof Error ? error.message : String(error) };

main(process.argv[2]).then(
  () => process.exit(0),
  async (error) => {
    await write(errorOf(error));
    process.exit(1);
  },
);
