/** Debian packages that tests need, installed where the script may do so. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProcess } from './child-process.ts';
import type { Requirement } from './requirement.ts';

/** Path of a program on the search path, null where there is none. */
export function findProgram(names: readonly string[], searchPath = process.env.PATH ?? ''): string | null {
  for (const folder of searchPath.split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      if (folder !== '' && existsSync(path)) return path;
    }
  }
  return null;
}

/** Installs packages through apt. Null when that worked, else the reason why not. */
export async function installSystemPackages(packages: readonly string[]): Promise<string | null> {
  if (findProgram(['apt-get']) === null) return 'there is no apt-get here';
  if (process.getuid?.() !== 0) return `run "apt-get install ${packages.join(' ')}" as root`;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const result = await runProcess('apt-get', args, { env, quiet: true, limit: 600 });
    if (result.code !== 0) return `apt-get ${args.join(' ')} failed: ${result.output.trim().split('\n').at(-1)}`;
  }
  return null;
}

/** A Chromium, installed if that is possible. */
export async function ensureChromium(say: (line: string) => void): Promise<Requirement> {
  const name = 'Chromium';
  const given = process.env.MEDLOGICTRACE_CHROMIUM;
  if (given)
    return existsSync(given) ? { name, path: given } : { name, missing: `MEDLOGICTRACE_CHROMIUM is ${given}, which does not exist` };
  const programs = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = findProgram(programs);
  if (found !== null) return { name, path: found };
  say('Installing Chromium for the window tests; this happens once.');
  const failed = await installSystemPackages(['chromium']);
  const path = findProgram(programs);
  if (failed === null && path !== null) return { name, path };
  return { name, missing: failed ?? 'the package chromium brought no program of that name' };
}

/** An OpenSSH server, installed if that is possible. It is only ever started by tests, on loopback. */
export async function ensureSshd(say: (line: string) => void): Promise<Requirement> {
  const name = 'an OpenSSH server';
  // Not on everybody's search path.
  const find = (): string | null => findProgram(['sshd'], `/usr/sbin${delimiter}/usr/local/sbin${delimiter}${process.env.PATH ?? ''}`);
  const found = find();
  if (found !== null) return { name, path: found };
  say('Installing OpenSSH for the tests of machines; this happens once.');
  const failed = await installSystemPackages(['openssh-server', 'openssh-client']);
  const path = find();
  if (failed === null && path !== null) return { name, path };
  return { name, missing: failed ?? 'the package openssh-server brought no sshd' };
}
