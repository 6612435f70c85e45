/**
 * How a command reaches a machine: through the user's login shell, of whatever kind, to `/bin/sh`, which takes the rest from standard input.
 * So the other users there see neither arguments nor environment of it in a list of processes, and no login shell reads what we quote.
 */
import { randomUUID } from 'node:crypto';
import { InputError } from '../../../shared/input-error.ts';
import { shellQuote, shellWords } from './shell-quote.ts';

export interface RemoteScript {
  /** For the login shell: nothing of the command is in it. */
  command: string;
  /** Goes before the command's own input. */
  preamble: string;
  /** A line of each stream that begins with this ends what the login shell's start files print; the pid follows. */
  mark: string;
}

/** Wraps lines of `sh`, which then have the rest of standard input. */
export function remoteScript(script: string): RemoteScript {
  const mark = `mlt-${randomUUID()}`;
  const end = `end-${mark}`;
  // Inside single quotes only what csh and fish leave alone as well: no line break, no !, no backslash before a quote.
  const take = `echo "${mark} $$"; echo "${mark} $$" >&2; s=; n="$(printf "\\n.")"; n="\${n%.}"; while IFS= read -r l; do test "$l" = ${end} && break; s="$s$l$n"; done; eval "$s"`;
  return { command: `exec /bin/sh -c '${take}'`, preamble: `${script}\n${end}\n`, mark };
}

/** Lines that set folder and environment. Errors: an InputError for a name that is none, or a value with a line break. */
export function settingScript({ cwd, env }: { cwd?: string; env?: Readonly<Record<string, string>> }): string[] {
  const variables = Object.entries(env ?? {}).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new InputError(`${JSON.stringify(name)} is no name of an environment variable`, 'env');
    // The value may be a secret: it is not repeated.
    if (/[\n\r]/.test(value)) throw new InputError(`the environment variable ${name} holds a line break`, 'env');
    return `export ${name}=${shellQuote(value)}`;
  });
  return [...(cwd === undefined ? [] : [`cd -- ${shellQuote(cwd)} || exit 126`]), ...variables];
}

/** Runs a program in place of the shell. */
export const execScript = (command: readonly string[], settings: Parameters<typeof settingScript>[0]): string =>
  [...settingScript(settings), `exec ${shellWords(command)}`].join('\n');

/** Starts a program in a session of its own, and prints its pid. */
export function detachedScript(command: readonly string[], log: string, settings: Parameters<typeof settingScript>[0]): string {
  const [program] = command;
  const words = shellWords(command);
  return [
    `mkdir -p -- "$(dirname -- ${shellQuote(log)})" || exit 1`,
    ...settingScript(settings),
    `command -v ${shellQuote(program ?? '')} >/dev/null 2>&1 || { echo ${shellQuote(`${program}: not found`)} >&2; exit 127; }`,
    `( umask 077; : >>${shellQuote(log)} ) || exit 1`,
    // A Mac has no setsid; nohup alone keeps the hang-up away there.
    `if command -v setsid >/dev/null 2>&1; then setsid nohup ${words} >>${shellQuote(log)} 2>&1 </dev/null &`,
    `else nohup ${words} >>${shellQuote(log)} 2>&1 </dev/null & fi`,
    'echo $!',
  ].join('\n');
}

/** Reads paths, a line each, and prints a SHA-256 or `-` for each. */
export const HASH_SCRIPT = `if command -v sha256sum >/dev/null 2>&1; then h() { sha256sum; }; else h() { shasum -a 256; }; fi
while IFS= read -r p; do
  if [ -f "$p" ] && [ ! -h "$p" ] && [ -r "$p" ]; then h <"$p"; else echo -; fi
done`;
