/** What `medlogictrace backends install tensorflow` leaves in the user's folder, and where: its writer and its readers go by this. */
import { z } from 'zod';

/** The TensorFlow whose library the addon is built against. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Below the home folder; it appears whole or not at all. */
export const TENSORFLOW_FOLDER = 'backends/tensorflow';
/** Below that: the addon, the library that it loads, and what was installed. */
export const TENSORFLOW_ADDON = 'lib/tfjs_binding.node';
export const TENSORFLOW_SITE = 'site';
export const TENSORFLOW_RECORD = 'install.json';

export const TensorflowKind = z.enum(['cpu', 'cuda']);
export type TensorflowKind = z.infer<typeof TensorflowKind>;

export const TensorflowInstall = z.object({
  /** Version of TensorFlow. */
  tensorflow: z.string(),
  kind: TensorflowKind,
  /** `process.platform` and `process.arch` that it was built for. */
  platform: z.string(),
  arch: z.string(),
  /** Version of @tensorflow/tfjs-node-gpu whose sources were compiled. */
  addon: z.string(),
  /** Bytes of all files. */
  bytes: z.number(),
  time: z.string(),
});
export type TensorflowInstall = z.infer<typeof TensorflowInstall>;

/** What the check of an addon prints: one line of JSON. */
export const TensorflowCheck = z.object({ tensorflow: z.string(), device: z.enum(['cpu', 'gpu']) });
export type TensorflowCheck = z.infer<typeof TensorflowCheck>;

/** What an install tells while it goes on. */
export const InstallEvent = z.discriminatedUnion('type', [
  /** A step begins. */
  z.object({ type: z.literal('step'), text: z.string() }),
  /** Bytes of the step that are done; `total` null: not known. */
  z.object({ type: z.literal('progress'), what: z.string(), bytes: z.number(), total: z.number().nullable() }),
  z.object({ type: z.literal('done'), install: TensorflowInstall }),
]);
export type InstallEvent = z.infer<typeof InstallEvent>;

/** What is installed and how much room it takes; `installing`: an install goes on in this workbench. */
export const TensorflowState = z.object({
  home: z.string(),
  installed: TensorflowInstall.nullable(),
  /** Bytes that an uninstall frees: unfinished downloads too. */
  bytes: z.number(),
  installing: TensorflowKind.nullable(),
});
export type TensorflowState = z.infer<typeof TensorflowState>;
