/** The key with which this computer reaches its pods. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { homeFolder } from '../../data/location.ts';
import { writeUserFile } from '../user-file.ts';

export interface PodKey {
  /** Private key file; null: the user's usual keys, or their agent. */
  file: string | null;
  /** For the account: `<type> <key> [comment]`. */
  publicLine: string;
}

const USUAL = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/**
 * The user's own key where there is one (`~/.ssh/id_ed25519.pub` and so on), else one made for pods: `pods/id_ed25519` in the home folder, for
 * its owner alone. Errors: the system's.
 */
export async function podKey(sshFolder: string = join(homedir(), '.ssh'), own: string = join(homeFolder(), 'pods')): Promise<PodKey> {
  for (const name of USUAL) {
    const path = join(sshFolder, `${name}.pub`);
    if (existsSync(path) && existsSync(join(sshFolder, name))) return { file: null, publicLine: (await readFile(path, 'utf8')).trim() };
  }
  const file = join(own, 'id_ed25519');
  if (!existsSync(file) || !existsSync(`${file}.pub`)) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', { comment: `medlogictrace@${hostname()}` });
    await writeUserFile(file, made.private);
    await writeUserFile(`${file}.pub`, `${made.public.trim()}\n`);
  }
  return { file, publicLine: (await readFile(`${file}.pub`, 'utf8')).trim() };
}
