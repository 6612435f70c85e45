/** What a bundled shell says of where it is installed, since its own place tells nothing. */
import { join } from 'node:path';
import { homeFolder } from '../data/location.ts';
import { useProgramRoot } from '../machine/programs.ts';
import { defaultRunsDir } from './runs.ts';

export interface Installation {
  /** Holds the programs that processes are made of, and their Node: a checkout, or the assembled runner. */
  programs: string;
  /** A packaged app is started in no folder of anybody's: its runs lie in the home folder, unless `MEDLOGICTRACE_RUNS` says where. */
  packaged: boolean;
}

/** The folder of runs of a packaged app. */
export const packagedRunsDir = (): string => join(homeFolder(), 'runs');

/** Takes the programs from there, and gives the folder of runs. */
export function useInstallation({ programs, packaged }: Installation): { runsDir: string } {
  useProgramRoot(programs);
  return { runsDir: packaged && !process.env.MEDLOGICTRACE_RUNS ? packagedRunsDir() : defaultRunsDir() };
}
