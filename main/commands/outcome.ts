/** How a command ended, as the exit code tells it: 0 good, 1 the run failed, 2 the input was wrong, 128 + signal when interrupted. */
import { CommanderError } from 'commander';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { explainZodError } from '../../shared/parse-input.ts';
import { Interrupted, interruptExitCode } from './interrupt.ts';

/** The command did its work and the work failed; the message says what and where to look. */
export class RunFailed extends Error {
  override name = 'RunFailed';
}

export interface Outcome {
  exit: number;
  /** Null where there is nothing to say (help was asked for). */
  message: string | null;
  code: 'input' | 'failed' | 'interrupted' | 'help';
  field?: string;
  /** Where a mistake of the program happened; shown with MEDLOGICTRACE_DEBUG=1. */
  stack?: string;
}

/** Exit code and message of whatever a command threw. */
export function outcomeOf(thrown: unknown): Outcome {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return { exit: 0, message: null, code: 'help' };
    if (thrown.code === 'commander.help') return { exit: 2, message: null, code: 'input' };
    return { exit: 2, message: thrown.message.replace(/^error: /, '').replaceAll('\n', ' '), code: 'input' };
  }
  if (thrown instanceof InputError) return { exit: 2, message: thrown.message, code: 'input', field: thrown.field };
  if (thrown instanceof z.ZodError) return outcomeOf(explainZodError(thrown, 'input', undefined));
  if (thrown instanceof Interrupted) return { exit: interruptExitCode(thrown.signal), message: thrown.message, code: 'interrupted' };
  if (thrown instanceof Error && thrown.name === 'AbortError')
    return { exit: interruptExitCode('SIGINT'), message: 'stopped', code: 'interrupted' };
  if (thrown instanceof Error) return { exit: 1, message: thrown.message || thrown.name, code: 'failed', stack: thrown.stack };
  return { exit: 1, message: String(thrown), code: 'failed' };
}
