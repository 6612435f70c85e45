/** Questions to a person at a terminal. Where nobody sits there, none is asked. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** True for `yes`. Nobody there: false. */
export async function askYes(question: string, signal?: AbortSignal): Promise<boolean> {
  if (!canAsk()) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^\s*y(es)?\s*$/i.test(await lines.question(`${question} [yes/no] `, { signal }));
  } finally {
    lines.close();
  }
}

/** A text that is not shown while it is typed, null where nobody is there or nothing was typed. */
export async function askHidden(question: string, signal?: AbortSignal): Promise<string | null> {
  if (!canAsk()) return null;
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return (await lines.question('', { signal })) || null;
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
