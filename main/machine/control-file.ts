/** Adding to a run's control.jsonl. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlLine } from '../../shared/run-record.ts';

/** Appends one line; a line torn by an earlier writer is closed first, so that it does not swallow this one. */
export async function appendControl(folder: string, line: ControlLine): Promise<void> {
  const file = await open(join(folder, 'control.jsonl'), 'a+');
  try {
    const { size } = await file.stat();
    const last = size === 0 ? null : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
    const opening = last === null || last === 0x0a ? '' : '\n';
    await file.appendFile(`${opening}${JSON.stringify(line)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
