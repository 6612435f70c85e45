/** A progress line on standard error: redrawn in place on a terminal, one plain line every ten seconds elsewhere. */

export interface ProgressUpdate {
  /** How many there are in all, once that is known. */
  total?: number | null;
  /** The worker's own estimate; absent: from the speed seen so far. */
  seconds_left?: number | null;
  /** A short text behind the figures (`reward 0.52`). */
  note?: string;
}

export interface Progress {
  /** `done` things of the total are finished; never goes back. */
  update(done: number, more?: ProgressUpdate): void;
  /** Leaves one last line with the time it took. Calling it twice does nothing. */
  finish(note?: string): void;
}

/** Where the line goes: `process.stderr`, or a test's own. */
export interface ProgressSink {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const PLAIN_MS = 10_000;

/** Seconds as `47 s`, `3:05` or `1:02:09`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${pad(whole % 60)}` : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** Seconds left at the mean speed so far; null until something is done or while the total is unknown. */
export function estimateLeft(done: number, total: number | null, elapsedSeconds: number): number | null {
  if (total === null || done <= 0 || elapsedSeconds <= 0) return null;
  return (elapsedSeconds / done) * Math.max(0, total - done);
}

function line(what: string, done: number, total: number | null, elapsed: number, more: ProgressUpdate, bar: boolean): string {
  const parts = [what];
  if (total !== null && total > 0) {
    const share = Math.min(1, done / total);
    const filled = Math.round(share * BAR_WIDTH);
    if (bar) parts.push(`[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`);
    parts.push(`${done}/${total}`, `${Math.floor(share * 100)} %`);
    const left = more.seconds_left ?? estimateLeft(done, total, elapsed);
    if (left !== null && done < total) parts.push(`${formatDuration(left)} left`);
  } else {
    parts.push(String(done), formatDuration(elapsed));
  }
  if (more.note) parts.push(more.note);
  return parts.join('  ');
}

/** A progress line for `what`. `now` is milliseconds and is replaced in tests. */
export function startProgress(what: string, total: number | null, sink: ProgressSink, now: () => number = Date.now): Progress {
  const started = now();
  const terminal = sink.isTTY === true;
  let shown = Number.NEGATIVE_INFINITY;
  let latest = 0;
  let known = total;
  let more: ProgressUpdate = {};
  let finished = false;

  const elapsed = () => (now() - started) / 1000;
  const draw = () => {
    const text = line(what, latest, known, elapsed(), more, terminal);
    // A line longer than the terminal would wrap, and the carriage return would then leave its first half standing.
    sink.write(terminal ? `\r\x1b[2K${text.slice(0, Math.max(10, (sink.columns ?? 80) - 1))}` : `${text}\n`);
    shown = now();
  };

  return {
    update(done, given = {}) {
      if (finished) return;
      latest = Math.max(latest, done);
      if (given.total !== undefined) known = given.total;
      more = { ...more, ...given, seconds_left: given.seconds_left ?? null };
      if (now() - shown >= (terminal ? REDRAW_MS : PLAIN_MS)) draw();
    },
    finish(note) {
      if (finished) return;
      finished = true;
      const text = [what, known === null ? String(latest) : `${latest}/${known}`, `took ${formatDuration(elapsed())}`];
      if (note) text.push(note);
      sink.write(`${terminal ? '\r\x1b[2K' : ''}${text.join('  ')}\n`);
    },
  };
}
