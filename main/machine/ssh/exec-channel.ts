/** A command over a link: input in, bounded output out, ended when it takes too long. */
import { constants } from 'node:os';
import { boundedOutput } from '../bounded-output.ts';
import { EXEC_TIMEOUT_MS, type ExecOptions, type ExecResult, MAX_OUTPUT, MachineError } from '../machine.ts';
import type { Link, RunningCommand } from './link.ts';
import { remoteScript } from './remote-script.ts';

/** Bytes that start files of a login shell may print before our line. */
const MOST_NOISE = 256 * 1024;

/** Passes on what comes after the line that begins with `mark`, and gives the pid that stands in it. */
function afterMark(
  mark: string,
  onPid: (pid: number) => void,
  pass: (bytes: Buffer) => void,
  tooMuch: () => void,
): (bytes: Buffer) => void {
  let before: Buffer | null = Buffer.alloc(0);
  return (bytes) => {
    if (before === null) return pass(bytes);
    before = Buffer.concat([before, bytes]);
    const at = before.indexOf(mark);
    const end = at < 0 ? -1 : before.indexOf(10, at);
    if (end < 0) {
      if (before.length > MOST_NOISE) tooMuch();
      return;
    }
    onPid(Number(before.toString('utf8', at + mark.length, end)));
    const rest = before.subarray(end + 1);
    before = null;
    if (rest.length > 0) pass(rest);
  };
}

/** Ends a process and its group there; best effort, since the connection may be what fails. */
function endThere(link: Link, pid: number): void {
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  // One channel is left for this.
  link.client.exec(`kill -s KILL -- -${pid} || kill -s KILL ${pid}`, (error, channel) => {
    if (error) return;
    channel.on('error', () => undefined);
    channel.stderr.resume();
    channel.resume().end();
  });
}

/** Carries out lines of `sh`. `what` names it in messages. */
export async function execScript(link: Link, what: string, script: string, options: ExecOptions): Promise<ExecResult> {
  const { input, timeoutMs = EXEC_TIMEOUT_MS, maxOutput = MAX_OUTPUT, signal, onOutput } = options;
  signal?.throwIfAborted();
  const { command, preamble, mark } = remoteScript(script);
  return outcome(await link.exec(what, command, signal));

  function outcome(running: RunningCommand): Promise<ExecResult> {
    const { channel } = running;
    const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
    let pid = 0;
    const fail = (error: unknown): void => {
      if (pid > 0 && link.lost === null) endThere(link, pid);
      channel.close();
      reject(error);
    };
    const tooMuch = (): void => fail(new MachineError('output', `${what} printed more than ${maxOutput} bytes and was ended`));
    const output = boundedOutput(maxOutput, onOutput, tooMuch);
    const takePid = (value: number): void => {
      pid = value;
    };
    channel.on(
      'data',
      afterMark(mark, takePid, (bytes) => output.add('stdout', bytes), tooMuch),
    );
    channel.stderr.on(
      'data',
      afterMark(mark, takePid, (bytes) => output.add('stderr', bytes), tooMuch),
    );
    const forget = link.onLost(reject);
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => fail(new MachineError('timeout', `${what} gave no result within ${timeoutMs} ms and was ended`)), timeoutMs);
    const stop = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', stop);
    // A command need not read what it is given.
    channel.on('error', () => undefined);
    channel.on('close', () => {
      const { exit } = running;
      if (exit === null) reject(link.lost ?? new MachineError('lost', `the connection went before ${what} had ended`));
      else if (pid === 0) reject(new MachineError('failed', `there is no working /bin/sh for ${what} on the machine`));
      else {
        const number = exit.signal === null ? 0 : (constants.signals[exit.signal as NodeJS.Signals] ?? 0);
        resolve({ code: exit.code ?? 128 + number, ...output.end() });
      }
    });
    channel.write(preamble);
    channel.end(input);
    return promise.finally(() => {
      clearTimeout(timer);
      forget();
      signal?.removeEventListener('abort', stop);
    });
  }
}
