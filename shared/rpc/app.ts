/** Routes about the program itself. */
import { z } from 'zod';

export const About = z.object({
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  /** Folder whose runs are shown. */
  runs_dir: z.string(),
});
export type About = z.infer<typeof About>;

export const appRoutes = {
  'app.about': { input: z.strictObject({}), output: About },
} as const;
