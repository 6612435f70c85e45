/** What the services need to know of the shell they run in; each namespace's handlers take it. */
import type { GivenFiles } from '../workbench/given-files.ts';

export interface Services {
  version: string;
  /** Folder whose runs are shown. */
  runsDir: string;
  /** Files that the user chose in the window. */
  files: GivenFiles;
}
