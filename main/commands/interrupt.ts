/** Ctrl-C: the first asks the work to stop cleanly, the second ends the process at once. */

/** The reason of the aborted signal: work stopped because the user asked for it. */
export class Interrupted extends Error {
  override name = 'Interrupted';
  readonly signal: NodeJS.Signals;
  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal === 'SIGINT' ? 'Ctrl-C' : signal}`);
    this.signal = signal;
  }
}

/** Exit code of a process ended by a signal, as shells count it. */
export const interruptExitCode = (signal: NodeJS.Signals): number => (signal === 'SIGINT' ? 130 : signal === 'SIGHUP' ? 129 : 143);

/** Two signals closer than this are one: a terminal tells the whole process group, and a parent passes its own copy on. */
const SAME_PRESS_MS = 300;

export interface Interrupt {
  signal: AbortSignal;
  /** Takes the handlers off again. */
  dispose(): void;
}

/** What of `process` this needs; a test brings its own. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): unknown;
}

/** Watches SIGINT, SIGTERM and SIGHUP. `tell` says what the first one started. */
export function watchInterrupt(tell: (text: string) => void, source: SignalSource = process, now: () => number = Date.now): Interrupt {
  const controller = new AbortController();
  let first: number | null = null;
  const listener = (name: NodeJS.Signals) => {
    if (first === null) {
      first = now();
      tell('Stopping cleanly; press Ctrl-C again to end at once.');
      controller.abort(new Interrupted(name));
    } else if (now() - first >= SAME_PRESS_MS) {
      source.exit(interruptExitCode(name));
    }
  };
  const names: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) source.on(name, listener);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of names) source.off(name, listener);
    },
  };
}
