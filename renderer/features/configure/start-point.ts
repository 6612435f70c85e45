/** What a new config begins with: a preset, an earlier run, a file, or nothing but the defaults of a kind. */
import { z } from 'zod';
import { type Draft, sparse } from '../../../shared/config-draft.ts';
import { CONFIG_KINDS, type ConfigKind } from '../../../shared/config-form.ts';
import type { JsonObject } from '../../../shared/json-object.ts';
import type { StartPoints } from '../../../shared/start-points.ts';

export interface StartPoint {
  /** As `?from=` has it. */
  id: string;
  label: string;
  draft: Draft;
  /** What the form begins with, where that is not all the same: a model that was chosen elsewhere is a change like any other. */
  begin?: Draft;
  /** Settings that the file gave by a name of an older version. */
  notes: readonly string[];
  /** The preset's name, where it is one. */
  preset: string | null;
}

/** Where the address names nothing. */
export const FIRST = 'demo';
/** `?from=` of a file that was dropped or picked. */
export const FILE = 'file';

export const isKind = (from: string): from is ConfigKind => CONFIG_KINDS.some((kind) => kind === from);

/** Settings that name their kind as a draft; null where they name none. */
export function asDraft(settings: JsonObject): Draft | null {
  const kind = CONFIG_KINDS.find((known) => known === settings.kind);
  return kind === undefined ? null : sparse({ ...settings, kind });
}

export const presetDraft = ({ presets }: StartPoints, name: string): Draft | null => {
  const preset = presets.find((one) => one.name === name);
  return preset === undefined ? null : asDraft(preset.config);
};

/** The start points that need no run and no file; null where `from` is none of them. */
export function knownStart(from: string, points: StartPoints): StartPoint | null {
  if (isKind(from)) return { id: from, label: 'the defaults', draft: { kind: from }, notes: [], preset: null };
  const draft = presetDraft(points, from);
  return draft === null ? null : { id: from, label: `preset ${from}`, draft, notes: [], preset: from };
}

const KEPT_FILE = 'new-run-file';
const Kept = z.looseObject({ kind: z.enum(CONFIG_KINDS) });
const KeptFile = z.object({ name: z.string(), notes: z.array(z.string()), draft: Kept });
export type ImportedFile = z.infer<typeof KeptFile>;

const kept = <T>(key: string, schema: z.ZodType<T>): T | null => {
  try {
    return schema.parse(JSON.parse(sessionStorage.getItem(key) ?? 'null'));
  } catch {
    // Nothing is kept, or by another version of this window.
    return null;
  }
};

export const keptFile = (): ImportedFile | null => kept(KEPT_FILE, KeptFile);
export function keepFile(file: ImportedFile): void {
  sessionStorage.setItem(KEPT_FILE, JSON.stringify(file));
  forgetDraft(FILE);
}

const draftKey = (from: string): string => `new-run-draft ${from}`;
/** What was written in this tab since, from each start point apart: choosing another and coming back loses nothing. */
export const keptDraft = (from: string): Draft | null => kept(draftKey(from), Kept);
export const keepDraft = (from: string, draft: Draft): void => sessionStorage.setItem(draftKey(from), JSON.stringify(draft));
export const forgetDraft = (from: string): void => sessionStorage.removeItem(draftKey(from));
