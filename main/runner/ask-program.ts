/** Programs of ours that try something in a process of their own and print what they found as one line of JSON. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { z } from 'zod';

/** Longest that one may take, its start included. */
const LONGEST_MS = 60_000;

/** Below the root, without its ending: it is source in a checkout and JavaScript in the assembled runner. */
type AskedProgram = 'main/runner/backend-trial' | 'main/policy/tfjs/tensorflow-check' | 'main/policy/tfjs/webgpu-check';

/**
 * The last line that the program prints. What libraries print beside it is kept from whoever asks.
 * Errors: Error with the line that says why it failed; the signal's reason when aborted.
 */
export async function askProgram<T>(name: AskedProgram, args: string[], answer: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  const root = dirname(dirname(import.meta.dirname));
  const program = ['ts', 'js'].map((ending) => join(root, `${name}.${ending}`)).find((path) => existsSync(path));
  if (program === undefined) throw new Error(`${name} is not below ${root}: this installation is not whole; install it again`);
  const ended = Promise.withResolvers<number | null>();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
    signal,
  });
  let said = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  child.on('error', ended.reject);
  child.on('close', ended.resolve);
  const code = await ended.promise.catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(reasonOf(complaint) ?? `it ended without a word (${code ?? 'killed'})`);
  return answer.parse(JSON.parse(lastLine(said) ?? ''));
}

const lastLine = (text: string): string | undefined => text.trim().split('\n').at(-1) || undefined;

/** Of all that was printed, the line with the error. */
const reasonOf = (complaint: string): string | undefined =>
  complaint
    .split('\n')
    .find((line) => /^\w*Error\b|undefined symbol|GLIBC/.test(line.trim()))
    ?.trim() ?? lastLine(complaint);
