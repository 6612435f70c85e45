/** Configs from files and to files. */
import { type Draft, draftOfFile, fileText } from '../../../shared/config-draft.ts';
import { InputError } from '../../../shared/input-error.ts';
import type { StartPoints } from '../../../shared/start-points.ts';
import { FILE, type ImportedFile, type StartPoint } from './start-point.ts';

/** A config has some kilobytes; what is larger is something else. */
const MOST_BYTES = 1_000_000;

/** Errors: InputError naming the file and what is wrong with it. */
export async function importFile(file: File, { presets }: StartPoints): Promise<ImportedFile> {
  if (file.size > MOST_BYTES) {
    throw new InputError(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB; a config has some kilobytes. Choose the config's JSON file`);
  }
  const { draft, notes } = draftOfFile(await file.text(), file.name, new Map(presets.map(({ name, config }) => [name, config])));
  return { name: file.name, notes, draft };
}

/** An imported file keeps its name; else the run's name. */
export const exportName = (draft: Draft, start: StartPoint): string => {
  if (start.id === FILE) return start.label;
  const name = typeof draft.name === 'string' && /^[\w.-]+$/.test(draft.name) ? draft.name : draft.kind;
  return `${name}.json`;
};

/** Has the browser save the draft as a config file. */
export function exportFile(draft: Draft, start: StartPoint): void {
  const url = URL.createObjectURL(new Blob([fileText(draft)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = exportName(draft, start);
  link.click();
  // The download has begun with the click; what it reads is held until then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
