/** The command that carries out a draft without the window. */
import { type Draft, differences } from './config-draft.ts';

/** One word for a POSIX shell, whatever it holds. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A value as `--set` reads it back: texts in quotes only where they could be taken for something else. */
function written(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  return /^[A-Za-z_./][A-Za-z0-9_./:-]*$/.test(value) && !/^(true|false|null)$/.test(value) ? value : JSON.stringify(value);
}

/** `name=value` for each setting in which a draft differs from a preset. */
export function assignments(draft: Draft, preset: Draft): string[] {
  return differences(draft, preset).flatMap(({ path, here, there }) => {
    // A part that the preset leaves out is made by its fields; one that the draft leaves out is taken away whole.
    if (here === false && there === true) return [`${path}=null`];
    if (here === true && there === false) return [`${path}={}`];
    if (here === undefined && draftLeavesOut(draft, path)) return [];
    return [`${path}=${written(here)}`];
  });
}

const draftLeavesOut = (draft: Draft, path: string): boolean => path.includes('.') && draft[path.split('.')[0] as string] == null;

export interface CommandParts {
  /** Name of the preset and its settings, where the draft began from one; else `file`. */
  preset: { name: string; draft: Draft } | null;
  /** The exported file's name. */
  file: string;
  runsDir: string | null;
  /** Where it runs; null: this machine, at once. */
  place?: { machine: string; gpus: number | 'all'; queue: boolean } | null;
}

export function headlessCommand(draft: Draft, { preset, file, runsDir, place = null }: CommandParts): string {
  const words = ['npx', 'medlogictrace', 'run'];
  if (preset !== null && preset.draft.kind === draft.kind) {
    words.push(preset.name, ...assignments(draft, preset.draft).flatMap((assignment) => ['--set', assignment]));
  } else words.push(file);
  if (runsDir !== null) words.push('--runs', runsDir);
  if (place !== null) {
    if (place.machine !== 'local') words.push('--machine', place.machine);
    if (place.gpus !== 'all') words.push('--gpus', String(place.gpus));
    // Without a machine it is the queue that says where.
    if (place.queue || (place.machine === 'local' && place.gpus === 'all')) words.push('--queue');
  }
  return words.map(shellWord).join(' ');
}
