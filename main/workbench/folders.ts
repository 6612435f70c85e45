/** The folders in force, and what decided on each. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FolderInForce } from '../../shared/settings.ts';
import { dataFolder, datasetsFolder, homeFolder } from '../data/location.ts';
import { packagedRunsDir } from './installation.ts';
import { defaultModelsDir } from './models.ts';

/** `runsDir` as the shell was started; the others as their variables say. */
export function foldersInForce(runsDir: string, environment: NodeJS.ProcessEnv = process.env): FolderInForce[] {
  const folder = (name: FolderInForce['name'], path: string, variable: string): FolderInForce => ({
    name,
    path,
    variable,
    decided_by: environment[variable] ? (resolve(environment[variable]) === path ? 'variable' : 'option') : 'default',
    there: existsSync(path),
  });
  const runs = folder('runs', resolve(runsDir), 'MEDLOGICTRACE_RUNS');
  return [
    // Given to the shell by `--runs`, unless it is where it would be anyway.
    runs.decided_by === 'default' && runs.path !== resolve('runs') && runs.path !== packagedRunsDir()
      ? { ...runs, decided_by: 'option' }
      : runs,
    folder('data', dataFolder(), 'MEDLOGICTRACE_DATA'),
    folder('datasets', datasetsFolder(), 'MEDLOGICTRACE_DATASETS'),
    folder('models', defaultModelsDir(runsDir), 'MEDLOGICTRACE_MODELS'),
    folder('home', homeFolder(), 'MEDLOGICTRACE_HOME'),
  ];
}
