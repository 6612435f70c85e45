/**
 * `node fetch-model.js organisation/name[@revision]`: fetches a model from the hub into `HF_HOME`, on the machine that it runs on, and prints
 * an event a line (`DownloadEvent`). A token comes by `HF_TOKEN` alone. Exit codes: 0 it is there, 1 it failed, 2 the name or the token is wrong.
 */
import { parseHubName } from '../../shared/hub-model.ts';
import { InputError } from '../../shared/input-error.ts';
import { downloadModel } from '../policy/hub/hub-download.ts';

/** A log that is read over a network needs no word on every piece. */
const PROGRESS_MS = 500;

let told = Number.NEGATIVE_INFINITY;
try {
  await downloadModel(parseHubName(process.argv[2] ?? ''), {
    token: process.env.HF_TOKEN?.trim() || null,
    onEvent(event) {
      if (event.type === 'progress' && event.bytes_done < event.bytes && performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      process.stdout.write(`${JSON.stringify(event)}\n`);
    },
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof InputError ? 2 : 1;
}
