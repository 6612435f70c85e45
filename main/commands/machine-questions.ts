/** What a machine may have to ask the person at the terminal. */
import type { OpenOptions } from '../workbench/machines/open.ts';
import { askHidden, askYes } from './ask.ts';
import type { Io } from './io.ts';

export interface ReachFlags {
  acceptHostKey?: string;
}

/** Asks the person at the terminal what has to be asked; passphrases are never options. */
export const questions = (io: Io, { acceptHostKey }: ReachFlags = {}): OpenOptions => ({
  acceptHostKey,
  askHostKey: ({ host, port, type, fingerprint }) =>
    askYes(`The host key of ${host}:${port} is not known yet:\n  ${fingerprint} (${type})\nIs that the machine's?`, io.signal),
  askPassphrase: (keyFile, attempt) => askHidden(`${attempt === 1 ? '' : 'That does not open it. '}Passphrase of ${keyFile}: `, io.signal),
});
