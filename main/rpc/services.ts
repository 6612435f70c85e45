/** What the services need to know of the shell they run in; each namespace's handlers take it. */
import type { GivenFiles } from '../workbench/given-files.ts';
import type { RunnerService } from '../workbench/runner-service.ts';
import type { SecretStore } from '../workbench/secrets.ts';

export interface Services {
  version: string;
  /** Folder whose runs are shown. */
  runsDir: string;
  /** Files that the user chose in the window. */
  files: GivenFiles;
  /** Models and configs, in a process of their own. */
  runner: RunnerService;
  /** Where secrets are kept. @default files that only their owner may read */
  secretStore?: SecretStore;
}
