/** The options that say where a run is carried out and what it takes of that machine; what `run`, `evaluate` and `demo` share. */
import { type Command, InvalidArgumentError } from 'commander';
import type { GpuShare } from '../../shared/remote-run.ts';
import { askWith } from '../workbench/remote/machines.ts';
import type { Io } from './io.ts';
import { countOption, wholeNumber } from './options.ts';

export interface MachineOptions {
  machine?: string;
  gpus?: GpuShare;
  queue?: boolean;
  autoResume?: number;
}

/** Where a run is to be carried out: on another machine, or here through the queue of this one. */
export interface There {
  /** `local`: this one. */
  machine: string;
  gpus: GpuShare;
  /** Waits for a place where none is free. */
  wait: boolean;
  autoResume: number;
}

function gpusOption(text: string): GpuShare {
  if (text === 'all') return 'all';
  try {
    return countOption(text);
  } catch {
    throw new InvalidArgumentError('Give a number of GPUs, or all.');
  }
}

/** The person at this terminal is asked about host keys and passphrases, where that comes to it. */
export const askHere = (io: Io): void => askWith(async () => (await import('./machine-questions.ts')).questions(io));

/** Adds them to a command. */
export function withMachineOptions(command: Command, io: Io): Command {
  askHere(io);
  return command
    .option('--machine <name>', 'carry it out on this machine of "machines list"; it goes on there whatever happens here')
    .option('--gpus <n>', 'GPUs (or slots) that it takes there: a number, or all (default)', gpusOption)
    .option('--queue', 'wait for a place where none is free; without --machine: a place of this machine')
    .option(
      '--auto-resume <n>',
      'so often it goes on by itself after its process was killed (default: 1 with --machine)',
      wholeNumber(0, 100),
    );
}

/** Null: at once, on this machine, as a child of nobody. */
export function placeAsked({ machine, gpus, queue, autoResume }: MachineOptions): There | null {
  if (machine === undefined && gpus === undefined && !queue && autoResume === undefined) return null;
  return { machine: machine ?? 'local', gpus: gpus ?? 'all', wait: queue ?? false, autoResume: autoResume ?? 1 };
}
