/** What the settings show and keep. */
import { z } from 'zod';
import { SecretName } from './secret-names.ts';

export const ThemeChoice = z.enum(['auto', 'light', 'dark']);
export type ThemeChoice = z.infer<typeof ThemeChoice>;

/** `settings.json` of the home folder. */
export const Preferences = z.object({
  theme: ThemeChoice.default('auto'),
  /** What computes where a config does not say; null: as the schema has it. A name that this version does not know stands for null. */
  backend: z.string().nullable().default(null),
  /** Where models come from, where no environment variable says; null: Hugging Face's own hub. */
  hub: z.object({ endpoint: z.string().nullable().default(null), offline: z.boolean().default(false) }).prefault({}),
  /** When Home was opened last, by folder of runs. */
  looked: z.record(z.string(), z.string()).default({}),
});
export type Preferences = z.infer<typeof Preferences>;

export const FolderInForce = z.object({
  name: z.enum(['runs', 'data', 'datasets', 'models', 'home']),
  path: z.string(),
  /** The environment variable that moves it, and what decided this time. */
  variable: z.string(),
  decided_by: z.enum(['variable', 'option', 'default']),
  there: z.boolean(),
});
export type FolderInForce = z.infer<typeof FolderInForce>;

/** Never with a value. */
export const SecretState = z.object({
  name: SecretName,
  /** What is in force; null: it is not set. */
  source: z.enum(['environment', 'keychain', 'file']).nullable(),
  /** Where the store keeps it, and whether it does: a variable may stand before it. */
  place: z.string(),
  stored: z.boolean(),
  store: z.enum(['keychain', 'file']),
  /** Why what is stored cannot be used, with the fix. */
  problem: z.string().nullable(),
  warning: z.string().nullable(),
});
export type SecretState = z.infer<typeof SecretState>;

export const StoredRun = z.object({
  run: z.string(),
  name: z.string().nullable(),
  kind: z.enum(['train', 'sft', 'evaluate']),
  created: z.string(),
  bytes: z.number(),
  /** Share of `bytes` in checkpoints. */
  checkpoint_bytes: z.number(),
  /** Why it may not be deleted; null where it may. */
  locked: z.string().nullable(),
  /** What rests on it; deleting it stays possible. */
  needed: z.string().nullable(),
});
export type StoredRun = z.infer<typeof StoredRun>;

export const TrashedRun = z.object({ run: z.string(), bytes: z.number(), deleted: z.string() });
export type TrashedRun = z.infer<typeof TrashedRun>;

export const Storage = z.object({
  runs_dir: z.string(),
  /** Largest first. */
  runs: z.array(StoredRun),
  /** Latest first. */
  trash: z.array(TrashedRun),
  /** Left on the disk. */
  free_bytes: z.number(),
});
export type Storage = z.infer<typeof Storage>;

/** Where models are fetched from: what is in force, and what decided on it. */
export const HubState = z.object({
  endpoint: z.object({ value: z.string(), decided_by: z.enum(['variable', 'settings', 'default']) }),
  offline: z.object({ value: z.boolean(), decided_by: z.enum(['variable', 'settings', 'default']) }),
  /** Folder of what was fetched. */
  cache: z.string(),
  /** What the settings say, whatever is in force. */
  kept: Preferences.shape.hub.unwrap(),
});
export type HubState = z.infer<typeof HubState>;
