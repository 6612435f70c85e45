import { InputError } from '../../shared/input-error.ts';

/** What is wrong with a model folder that someone gave us: one message that names the file, the value and the fix. */
export class CheckpointError extends InputError {
  override name = 'CheckpointError';
}
