/** The way to a machine: what was given for it, filled up from `~/.ssh/config`, the hosts that lead there first. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import type { Hop } from './connect.ts';
import { parseDestination, resolveSshHost, type SshConfigSource, type SshHost } from './ssh-config.ts';

export interface RouteRequest {
  /** Under which the host key is kept. */
  id: string;
  /** A name of `~/.ssh/config`, or an address. */
  host: string;
  user: string | null;
  port: number | null;
  /** Private key file; with one given no other key is offered. */
  key: string | null;
  /** Hosts to go through; null: as `~/.ssh/config` says. */
  jump: readonly string[] | null;
}

export interface RouteSurroundings {
  /** @default ~/.ssh */
  sshFolder?: string;
  environment?: NodeJS.ProcessEnv;
  home?: string;
}

const MOST_HOPS = 8;
/** In the order of OpenSSH, without those that are no longer made. */
const USUAL_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

function configSource(sshFolder: string, home: string): SshConfigSource {
  const path = join(sshFolder, 'config');
  return {
    text: existsSync(path) ? readFileSync(path, 'utf8') : null,
    include(pattern) {
      const whole = pattern.startsWith('~/') ? join(home, pattern.slice(2)) : isAbsolute(pattern) ? pattern : join(sshFolder, pattern);
      return globSync(whole)
        .sort()
        .map((file) => readFileSync(file, 'utf8'));
    },
    home,
    user: userInfo().username,
    hostname: hostname(),
  };
}

function agentOf({ identityAgent }: SshHost, environment: NodeJS.ProcessEnv): string | null {
  if (identityAgent?.toLowerCase() === 'none') return null;
  const given = identityAgent === null ? environment.SSH_AUTH_SOCK : (environment[identityAgent] ?? identityAgent);
  return given || null;
}

/** Errors: an InputError for what is wrong in the request or in the user's config. */
export function findRoute(request: RouteRequest, surroundings: RouteSurroundings = {}): Hop[] {
  const { environment = process.env, home = homedir() } = surroundings;
  const sshFolder = surroundings.sshFolder ?? join(home, '.ssh');
  const source = configSource(sshFolder, home);

  const hopTo = ({ id, host: alias, user, port, key }: Omit<RouteRequest, 'jump'>): { hop: Hop; jump: string[] } => {
    const found = resolveSshHost(alias, source);
    const usual = USUAL_KEYS.map((name) => join(sshFolder, name));
    if (key !== null && !existsSync(key)) throw new InputError(`there is no key file ${key}`, 'key');
    const hop: Hop = {
      id,
      host: found.host,
      port: port ?? found.port,
      user: user ?? found.user,
      agent: agentOf(found, environment),
      keyFiles: key !== null ? [key] : found.identityFiles.length > 0 ? found.identityFiles : usual,
      identitiesOnly: key !== null || found.identitiesOnly,
    };
    return { hop, jump: found.proxyJump };
  };

  const wayTo = (wanted: RouteRequest, depth: number): Hop[] => {
    if (depth > MOST_HOPS)
      throw new InputError(`the hosts before ${request.host} lead to each other without end; see ProxyJump in ~/.ssh/config`, 'jump');
    const { hop, jump } = hopTo(wanted);
    const through = wanted.jump ?? jump;
    const before = through.flatMap((text, index) => {
      const { user, host, port } = parseDestination(text);
      const { hop: there } = hopTo({ id: '', host, user, port, key: null });
      const asked = { id: `jump:${there.host}:${there.port}`, host, user, port, key: null };
      // Only the first is reached from here, and so by its own config.
      return index === 0 ? wayTo({ ...asked, jump: null }, depth + 1) : [hopTo(asked).hop];
    });
    return [...before, hop];
  };
  return wayTo(request, 0);
}
