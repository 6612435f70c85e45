/** One install at a time: a file that names the process which holds it. */
import { open, readFile, rm } from 'node:fs/promises';
import { formatIdentity, identify, parseIdentity, presence } from '../../../shared/process-identity.ts';
import { thisSystem } from '../../machine/system-probe.ts';
import { InstallError } from './install-error.ts';

export interface InstallLock {
  release(): Promise<void>;
}

/** Takes the lock; one whose holder is proved gone is taken over. Errors: InstallError naming the process that holds it. */
export async function takeInstallLock(path: string): Promise<InstallLock> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(formatIdentity(identify(process.pid, thisSystem)));
      await file.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = parseIdentity(await readFile(path, 'utf8').catch(() => ''));
      if (holder !== null && presence(holder, thisSystem) !== 'gone') {
        throw new InstallError(
          `process ${holder.pid} is installing or removing this backend; wait for it, or remove ${path} if it is not there`,
        );
      }
      await rm(path, { force: true });
    }
  }
  throw new InstallError(`${path} could not be taken; try again`);
}
