/**
 * What `~/.ssh/config` says of a host: the few options that we go by, as ssh_config(5) reads them. The first value of an option counts,
 * key files add up. `Match` is taken for `all`, `host`, `originalhost` and `user`; a block that asks for more (`exec`) is left out, since
 * nothing that a config names is ever run.
 */
import { InputError } from '../../../shared/input-error.ts';

export interface SshHost {
  /** Name or address to connect to. */
  host: string;
  port: number;
  user: string;
  /** Key files in the order given; empty: the usual ones. */
  identityFiles: string[];
  /** Path of the agent's socket, or the name of a variable that holds it (`SSH_AUTH_SOCK`); `none`: no agent. */
  identityAgent: string | null;
  identitiesOnly: boolean;
  /** Hosts to go through, first one first: `[user@]host[:port]`. */
  proxyJump: string[];
}

export interface SshConfigSource {
  /** Text of the user's config, null where there is none. */
  text: string | null;
  /** Texts of the files that an `Include` names (a pattern, `~` and relative paths not resolved yet). */
  include: (pattern: string) => string[];
  home: string;
  /** Name of the user of this computer. */
  user: string;
  /** Name of this computer. */
  hostname?: string;
}

const MOST_INCLUDES = 16;

/** Words of a line; quotes hold blanks together. `Key=Value` and `Key Value` are the same. */
function lineWords(line: string): string[] {
  const words: string[] = [];
  for (const match of line.replace(/^(\s*\w+)\s*=\s*/, '$1 ').matchAll(/"([^"]*)"|(\S+)/g)) {
    const word = match[1] ?? match[2] ?? '';
    if (match[2]?.startsWith('#')) break;
    words.push(word);
  }
  return words;
}

/** A pattern of ssh_config: `*` any text, `?` one character. */
function fits(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(text);
}

/** One that fits, and none of those with `!` does. */
function fitsList(patterns: readonly string[], text: string): boolean {
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1), text))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern, text));
}

type Found = Map<string, string[][]>;

function first(found: Found, key: string): string | null {
  return found.get(key)?.[0]?.[0] ?? null;
}

function matches(words: readonly string[], alias: string, found: Found, source: SshConfigSource): boolean {
  const host = first(found, 'hostname') ?? alias;
  for (let i = 0; i < words.length; i += 2) {
    const criterion = words[i]?.toLowerCase();
    if (criterion === 'all') {
      i--;
      continue;
    }
    const patterns = (words[i + 1] ?? '').split(',');
    if (criterion === 'host') {
      if (!fitsList(patterns, host)) return false;
    } else if (criterion === 'originalhost') {
      if (!fitsList(patterns, alias)) return false;
    } else if (criterion === 'user') {
      if (!fitsList(patterns, first(found, 'user') ?? source.user)) return false;
    } else return false;
  }
  return words.length > 0;
}

function read(text: string, alias: string, source: SshConfigSource, found: Found, active: boolean, depth: number): void {
  if (depth > MOST_INCLUDES) throw new InputError('~/.ssh/config: files include each other without end', 'ssh config');
  let on = active;
  for (const line of text.split(/\r?\n/)) {
    const [keyword, ...words] = lineWords(line);
    if (keyword === undefined || keyword.startsWith('#')) continue;
    const key = keyword.toLowerCase();
    if (key === 'host') on = active && fitsList(words, alias);
    else if (key === 'match') on = active && matches(words, alias, found, source);
    else if (key === 'include') {
      // What a file includes inside a block belongs to that block.
      for (const pattern of words) for (const inner of source.include(pattern)) read(inner, alias, source, found, on, depth + 1);
    } else if (on) found.set(key, [...(found.get(key) ?? []), words]);
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InputError(`~/.ssh/config: Port is ${JSON.stringify(text)}; expected a number from 1 to 65535`, 'port');
}

/** Replaces `%h` and its like, and a leading `~`. */
function expanded(text: string, tokens: Readonly<Record<string, string>>, home: string): string {
  const whole = text.replaceAll(/%(.)/g, (all, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? all)));
  return whole === '~' || whole.startsWith('~/') ? home + whole.slice(1) : whole;
}

/** What is to be used for a host name as typed. Errors: an InputError for a port that is none, or a ProxyCommand, which is not run. */
export function resolveSshHost(alias: string, source: SshConfigSource): SshHost {
  const found: Found = new Map();
  if (source.text !== null) read(source.text, alias, source, found, true, 0);
  const user = first(found, 'user') ?? source.user;
  const host = expanded(first(found, 'hostname') ?? alias, { h: alias, n: alias }, source.home);
  const port = portOf(first(found, 'port') ?? '22');
  const tokens = {
    h: host,
    n: alias,
    p: String(port),
    r: user,
    u: source.user,
    d: source.home,
    l: source.hostname ?? '',
    L: (source.hostname ?? '').replace(/\..*/, ''),
  };
  const jump = first(found, 'proxyjump');
  const command = found.get('proxycommand')?.[0];
  if (jump === null && command !== undefined && command[0]?.toLowerCase() !== 'none')
    throw new InputError(`~/.ssh/config has a ProxyCommand for "${alias}", and no command of it is run; use ProxyJump instead`, 'host');
  const agent = first(found, 'identityagent');
  return {
    host,
    port,
    user,
    identityFiles: (found.get('identityfile') ?? [])
      .flatMap(([path]) => (path === undefined || path.toLowerCase() === 'none' ? [] : [expanded(path, tokens, source.home)]))
      .filter((path, index, all) => all.indexOf(path) === index),
    identityAgent:
      agent === null ? null : /^\$/.test(agent) ? agent.slice(1).replaceAll(/[{}]/g, '') : expanded(agent, tokens, source.home),
    identitiesOnly: first(found, 'identitiesonly')?.toLowerCase() === 'yes',
    proxyJump:
      jump === null || jump.toLowerCase() === 'none'
        ? []
        : jump.split(',').map((hop) =>
            hop
              .trim()
              .replace(/^ssh:\/\//, '')
              .replace(/\/$/, ''),
          ),
  };
}

/** `[user@]host[:port]`, IPv6 addresses in brackets. Errors: an InputError for a text that is none. */
export function parseDestination(text: string): { user: string | null; host: string; port: number | null } {
  const match = /^(?:([^@\s]+)@)?(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:@[\]-][^\s:@[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const [, user, address, name, port] = match ?? [];
  const host = address ?? name;
  if (host === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)))
    throw new InputError(`"${text}" is no destination; expected [user@]host[:port]`, 'host');
  return { user: user ?? null, host, port: port === undefined ? null : Number(port) };
}
