/**
 * `node pod-guard.ts FOLDER`: guards the pod that it runs on, as `FOLDER/guard.json` says (shared/pod-guard.ts). Started on the pod in a loop
 * (`guardLoop`) that starts it again whenever it is killed.
 * Exit code 0: the pod was stopped, or the guard was told to end; 2: the config cannot be used; 75: another guard has the folder.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import { Guard } from './guard/guard.ts';
import { GuardFiles } from './guard/guard-files.ts';
import { takeGuardLock } from './guard/guard-lock.ts';
import { podEnvironment } from './guard/pod-environment.ts';

async function main(folder: string | undefined): Promise<number> {
  if (folder === undefined) {
    console.error('usage: node pod-guard.ts FOLDER');
    return 2;
  }
  const files = new GuardFiles(folder);
  const config = files.config();
  if (config === null) return 0;
  const here = podEnvironment(config.environ).pod;
  if (here !== null && here !== config.pod) {
    console.error(`guard.json guards pod ${config.pod}, and this is pod ${here}: a guard stops no other pod`);
    return 2;
  }
  const beats = async (): Promise<boolean> => {
    const before = files.state()?.beat;
    await sleep(3000 * config.poll_seconds);
    return files.state()?.beat !== before;
  };
  if (!(await takeGuardLock(folder, beats))) return 75;
  await new Guard(folder).keep();
  return 0;
}

main(process.argv[2]).then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(error instanceof InputError ? 2 : 1);
  },
);
