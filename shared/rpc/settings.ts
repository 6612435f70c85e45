/** Routes of the settings: folders, backends, theme, secrets, storage. */
import { z } from 'zod';
import { AutoEvent, BackendList } from '../backend-status.ts';
import { RunsCleaned } from '../run-cleaning.ts';
import { SecretName } from '../secret-names.ts';
import { FolderInForce, HubState, Preferences, SecretState, Storage, ThemeChoice } from '../settings.ts';
import { InstallEvent, TensorflowKind, TensorflowState } from '../tensorflow-install.ts';
import { RunId } from './runs.ts';

const nothing = z.strictObject({});
/** A run's id that cannot lead out of a folder, nor to a hidden one in it. */
const VisibleRunId = RunId.refine((run) => !run.startsWith('.'), 'a run id does not start with a dot');

export const settingsRoutes = {
  'settings.folders': { input: nothing, output: z.array(FolderInForce) },
  /** What `medlogictrace backends` says. */
  'settings.backends': { input: nothing, output: BackendList },
  /** What computes where a config does not say, and all that a config can name. */
  'settings.backend_choice': { input: nothing, output: z.object({ chosen: z.string(), takes: z.array(z.string()) }) },
  /** The backend of runs that name none. Refused where it cannot be used here. */
  'settings.set_backend': { input: z.strictObject({ backend: z.string().max(100) }), output: Preferences },
  /** The TensorFlow in the user's folder. */
  'settings.tensorflow': { input: nothing, output: TensorflowState },
  /** Ends the install that goes on; what was fetched stays, and another goes on from there. */
  'settings.stop_install': { input: nothing, output: z.object({ stopped: z.boolean() }) },
  /** Takes TensorFlow away; a choice of it falls back to the default. */
  'settings.uninstall_tensorflow': { input: nothing, output: z.object({ bytes: z.number(), chosen: z.string() }) },
  'settings.preferences': { input: nothing, output: Preferences },
  'settings.set_theme': { input: z.strictObject({ theme: ThemeChoice }), output: Preferences },
  /** Which hub models come from, and whether anything is fetched at all. */
  'settings.hub': { input: nothing, output: HubState },
  /** `endpoint` null: Hugging Face's own. An environment variable stands before both. */
  'settings.set_hub': {
    input: z.strictObject({ endpoint: z.string().max(500).nullable(), offline: z.boolean() }),
    output: HubState,
  },
  /** Which secrets are set, and from where. There is no route that gives one. */
  'settings.secrets': { input: nothing, output: z.array(SecretState) },
  /** `value` null forgets it. Longer texts are refused by the handler, whose message does not repeat them. */
  'settings.set_secret': {
    input: z.strictObject({ name: SecretName, value: z.string().nullable() }),
    output: z.array(SecretState),
  },
  'settings.storage': { input: nothing, output: Storage },
  /** Moves a run to the trash, and back. */
  'settings.trash_run': { input: z.strictObject({ run: VisibleRunId }), output: nothing },
  'settings.restore_run': { input: z.strictObject({ run: VisibleRunId }), output: nothing },
  /** Deletes for good what the reader saw in the trash. */
  'settings.empty_trash': { input: z.strictObject({ runs: z.array(VisibleRunId) }), output: z.object({ bytes: z.number() }) },
  /** What `runs gc` would free; with `yes` it is deleted for good. */
  'settings.clean': { input: z.strictObject({ yes: z.boolean() }), output: RunsCleaned },
} as const;

export const settingsTopics = {
  /** Tries each backend for a moment, as `auto` does; ends with what it takes. Stops when it is no longer followed. */
  'settings.measure_backends': { input: nothing, item: AutoEvent },
  /** Installs TensorFlow, or joins the install that goes on; it goes on when it is no longer followed. */
  'settings.install_tensorflow': { input: z.strictObject({ kind: TensorflowKind }), item: InstallEvent },
} as const;
