/**
 * Bringing weights of a run on another machine here: its final model, or a checkpoint. A broken transfer goes on where it was; a folder can
 * be seen once every file has the SHA-256 that the machine has, and that `checksums.json` names. Nothing is deleted there.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../shared/input-error.ts';
import { fileHash } from '../../machine/transfer.ts';
import { readEvents } from '../run-files.ts';
import { Attendant } from './attendant.ts';
import type { OpenMachine } from './place.ts';
import { mirrored } from './remote-file.ts';

export interface FetchOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

export interface Fetched {
  run: string;
  /** Below the run's folder: `model`, `checkpoints/step-000100`. */
  part: string;
  folder: string;
  files: number;
  bytes: number;
  /** It was here already, and is the same. */
  known: boolean;
}

const Checksums = z.object({ files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })) });

/** Names below a folder, one plain part after another. */
const isPlain = (name: string): boolean => name.split('/').every((part) => /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/.test(part));

/** Which folder of the run is meant: `final`, or the checkpoint of a step. Errors: InputError naming the steps that there are. */
export async function partOf(folder: string, which: 'final' | number): Promise<string> {
  const { events } = await readEvents(folder);
  if (which === 'final') {
    const finished = events.findLast((event) => event.type === 'finished');
    if (finished?.type === 'finished' && finished.model !== null) return 'model';
    throw new InputError(`run ${basename(folder)} has no final model (yet): name a checkpoint with --checkpoint`, '--checkpoint');
  }
  const steps = events.flatMap((event) => (event.type === 'checkpoint' ? [event.step] : []));
  if (steps.includes(which)) return `checkpoints/step-${String(which).padStart(6, '0')}`;
  const known = steps.length === 0 ? 'it has none yet' : `it has those of steps ${steps.join(', ')}`;
  throw new InputError(`run ${basename(folder)} has no checkpoint of step ${which}: ${known}`, '--checkpoint');
}

/** Errors: InputError for a folder that is not there (any more); Error where what came is not what is there; MachineError. */
export async function fetchPart(folder: string, part: string, open: OpenMachine, options: FetchOptions = {}): Promise<Fetched> {
  const remote = mirrored(folder);
  const place = await open(remote.machine);
  const { machine } = place;
  const { files } = await new Attendant(place).ask(
    'proof',
    { folder: remote.folder, below: part },
    { signal: options.signal, timeoutMs: 3_600_000 },
  );
  const strange = files.find(({ name }) => !isPlain(name));
  if (strange !== undefined)
    throw new InputError(`${remote.machine} names a file ${JSON.stringify(strange.name.slice(0, 120))}: it is refused`);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const to = join(folder, part);
  const result = { run: basename(folder), part, folder: to, files: files.length, bytes };
  const same = async (there: string): Promise<boolean> => {
    for (const { name, bytes: size, sha256 } of files) {
      const path = join(there, name);
      if (statSync(path, { throwIfNoEntry: false })?.size !== size || (await fileHash(path, options.signal)) !== sha256) return false;
    }
    return true;
  };
  if (existsSync(to) && (await same(to))) return { ...result, known: true };

  const fetching = join(dirname(to), `.fetching-${basename(to)}`);
  mkdirSync(fetching, { recursive: true });
  let before = 0;
  for (const { name, bytes: size, sha256 } of files) {
    options.signal?.throwIfAborted();
    const done = before;
    mkdirSync(dirname(join(fetching, name)), { recursive: true });
    await machine.download(`${remote.folder}/${part}/${name}`, join(fetching, name), {
      sha256,
      signal: options.signal,
      onProgress: (of) => options.onProgress?.(done + of, bytes),
    });
    before += size;
  }
  await checkAgainstOwn(fetching);
  // An older one of the same name (a run that was resumed ends with other weights) goes once the new one is whole.
  if (existsSync(to)) {
    const aside = join(dirname(to), `.replaced-${basename(to)}`);
    rmSync(aside, { recursive: true, force: true });
    renameSync(to, aside);
    renameSync(fetching, to);
    rmSync(aside, { recursive: true, force: true });
  } else renameSync(fetching, to);
  return { ...result, known: false };
}

/** What the runner itself wrote down about its files: a bit that flipped on the disk there is found here. */
async function checkAgainstOwn(folder: string): Promise<void> {
  const path = join(folder, 'checksums.json');
  if (!existsSync(path)) return;
  const { files } = Checksums.parse(JSON.parse(readFileSync(path, 'utf8')));
  for (const [name, { sha256 }] of Object.entries(files)) {
    const file = join(folder, name);
    const found = isPlain(name) && existsSync(file) ? await fileHash(file) : null;
    if (found === sha256) continue;
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`checkpoint ${basename(folder).replace('.fetching-', '')} is damaged on the machine: ${name} is not what was written`);
  }
}
