/** What a command may say and where: one document or a text on standard output, everything else on standard error. */
import { watchInterrupt } from './interrupt.ts';
import { type Progress, type ProgressSink, startProgress } from './progress.ts';

export interface Io {
  /** `--json` was given: standard output belongs to one JSON document. */
  readonly json: boolean;
  /** Aborted by the first Ctrl-C, with an `Interrupted` as its reason. Hand it to everything that takes long. */
  readonly signal: AbortSignal;
  /**
   * The command's result, said once. With `--json` the document, else `text` (or the document, indented, where there is no text).
   * Errors: a second call with `--json` is a mistake of the program and throws.
   */
  out(document: unknown, text?: string | (() => string)): void;
  /** With `--json`, the document that says what went wrong, unless the command has spoken already. Used by the shell alone. */
  fail(document: unknown): void;
  /** A line for people on standard output (a stream such as `runs tail`); on standard error with `--json`. */
  print(line: string): void;
  /** A line on standard error. */
  note(line: string): void;
  /** A progress line on standard error, which leaves a plain line when it finishes. `total` null: not known yet. */
  progress(what: string, total: number | null): Progress;
}

export interface IoStreams {
  stdout: { write(text: string): unknown };
  stderr: ProgressSink;
}

const withNewline = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

/** The Io of one command. */
export function createIo(json: boolean, signal: AbortSignal, streams: IoStreams = process): Io {
  let said = false;
  return {
    json,
    signal,
    out(document, text) {
      if (json && said) throw new Error('a command may write one JSON document only');
      said = true;
      const shown = json || text === undefined ? JSON.stringify(document, null, 2) : typeof text === 'function' ? text() : text;
      streams.stdout.write(withNewline(shown));
    },
    fail(document) {
      if (json && !said) this.out(document);
    },
    print(line) {
      (json ? streams.stderr : streams.stdout).write(withNewline(line));
    },
    note(line) {
      streams.stderr.write(withNewline(line));
    },
    progress(what, total) {
      return startProgress(what, total, streams.stderr);
    },
  };
}

/** The Io of this process, with Ctrl-C watched. */
export function processIo(json: boolean): Io {
  const { signal } = watchInterrupt((text) => process.stderr.write(`\n${text}\n`));
  return createIo(json, signal);
}
