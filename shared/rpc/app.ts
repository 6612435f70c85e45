/** Routes about the program itself. */
import { z } from 'zod';
import { RecordedExample } from '../recorded-example.ts';

export const About = z.object({
  version: z.string(),
  node: z.string(),
  /** Version of Electron in the desktop app; null in a browser. */
  electron: z.string().nullable(),
  platform: z.string(),
  /** Folder whose runs are shown. */
  runs_dir: z.string(),
});
export type About = z.infer<typeof About>;

export const appRoutes = {
  'app.about': { input: z.strictObject({}), output: About },
  /** Remembers that someone looks at these runs now; gives when that was before, null the first time. */
  'app.look': { input: z.strictObject({}), output: z.object({ before: z.string().nullable() }) },
  /** The recorded results that come with the program. */
  'app.examples': { input: z.strictObject({}), output: z.object({ examples: z.array(RecordedExample) }) },
} as const;
