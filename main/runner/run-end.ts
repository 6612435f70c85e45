/** The last words of a run that did not finish: what failed, what is safe, and how to go on, in log and exit.json. */
import { InputError } from '../../shared/input-error.ts';
import { DeviceFailure } from '../policy/tfjs/padded/device-failure.ts';
import { diskFailure, diskMessage } from './disk-failure.ts';
import type { RunFolder } from './run-folder.ts';
import { StopRequested } from './training-run.ts';

/** Exit code of a run that was asked to stop. */
const STOPPED = 130;

/** What failed, what is safe, and the two ways to go on. */
function deviceMessage(failure: DeviceFailure, id: string, safeStep: number | null): string {
  const safe =
    safeStep === null ? 'There is no checkpoint yet; it would begin again at step 0' : `The checkpoint of step ${safeStep} is safe`;
  const smaller = failure.kind === 'memory' ? ', or start a run with a smaller micro_batch_size' : '';
  return `${failure.message}. ${safe}. Go on with "medlogictrace runs resume ${id}", on another backend with --backend wasm${smaller}.`;
}

/** Log and exit.json of a run that did not finish; gives the exit code, and the reason where the disk did not take it. */
export async function sayHowItEnded(run: RunFolder, error: unknown, signal: AbortSignal): Promise<{ code: number; unsaid: string | null }> {
  const stopped = error instanceof StopRequested || signal.aborted;
  const failure = diskFailure(error);
  const message = error instanceof Error ? error.message : String(error);
  const reason =
    failure !== null
      ? diskMessage(failure, run.folder, run.record.id, run.safeStep)
      : error instanceof DeviceFailure
        ? deviceMessage(error, run.record.id, run.safeStep)
        : message;
  // A run that was asked to stop and could not save did not stop as asked.
  const code = failure !== null ? 1 : stopped ? STOPPED : error instanceof InputError ? 2 : 1;
  // Where a mistake of the program happened is of use; where a wrong input or a lost device was found is not.
  const expected = stopped || failure !== null || error instanceof InputError || error instanceof DeviceFailure;
  try {
    run.makeRoom();
    run.log(error instanceof Error && !expected ? (error.stack ?? reason) : reason);
    await run.exit({ code, signal: null, reason });
    return { code, unsaid: null };
  } catch (second) {
    console.error(`exit.json could not be written: ${second instanceof Error ? second.message : String(second)}`);
    return { code, unsaid: reason };
  }
}
