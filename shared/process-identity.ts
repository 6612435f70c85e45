/**
 * Which process a run folder's `pid` file means, and whether it is still there. A pid alone proves nothing, since the system gives it
 * out again: it counts together with the process's start time and the boot id.
 *
 * Both the runner (its lock) and the machine room (its proof of death) need this and may not import each other, so the rule lives
 * here, pure; each of them hands in Node's functions (`systemProbe`).
 */

export interface ProcessIdentity {
  pid: number;
  /** Linux: clock ticks since boot. macOS: the date that `ps` prints, in UTC. Only ever compared for equality. */
  start: string | null;
  /** Changes at every boot. */
  boot: string | null;
  /** Names the machine, so that another boot id there means a reboot and not another computer. */
  machine: string | null;
  /** The pid namespace: the same number in another container is another process. */
  namespace: string | null;
}

/** What this file needs of an operating system. `null` and `false` mean: cannot be seen. */
export interface SystemProbe {
  platform: string;
  readText(path: string): string | null;
  readLink(path: string): string | null;
  /** Standard output of a program, null where it failed. */
  run(program: string, args: readonly string[]): string | null;
  /** Whether any process has this pid, whoever owns it. */
  exists(pid: number): boolean;
  /** This machine, this boot and this namespace, looked up once. */
  here(): Place;
}

export type Place = Omit<ProcessIdentity, 'pid' | 'start'>;

/** Node's functions, as the rooms hand them in. */
export interface NodeFunctions {
  platform: string;
  readFileSync(path: string, encoding: 'utf8'): string;
  readlinkSync(path: string): string;
  execFileSync(program: string, args: readonly string[], options: { encoding: 'utf8'; env: Record<string, string>; stdio: 'pipe' }): string;
  kill(pid: number, signal: 0): unknown;
}

const seen = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    // Not readable and not there are the same to a probe: it saw nothing.
    return null;
  }
};

/** A probe of this machine. */
export function systemProbe(node: NodeFunctions): SystemProbe {
  let place: Place | null = null;
  const probe: SystemProbe = {
    platform: node.platform,
    readText: (path) => seen(() => node.readFileSync(path, 'utf8')),
    readLink: (path) => seen(() => node.readlinkSync(path)),
    // A fixed language and time zone: the text is compared with what another process read.
    run: (program, args) =>
      seen(() =>
        node.execFileSync(program, args, {
          encoding: 'utf8',
          env: { PATH: '/bin:/usr/bin:/sbin:/usr/sbin', LC_ALL: 'C', TZ: 'UTC' },
          stdio: 'pipe',
        }),
      ),
    exists(pid) {
      try {
        node.kill(pid, 0);
        return true;
      } catch (error) {
        // EPERM: it is there and belongs to someone else.
        return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
      }
    },
    here() {
      place ??= lookAround(probe);
      return place;
    },
  };
  return probe;
}

const trimmed = (text: string | null): string | null => text?.trim() || null;

/** State letter and start time from `/proc/<pid>/stat`: fields 3 and 22, proc(5). The name in field 2 may hold blanks and brackets. */
export function parseProcStat(text: string): { state: string; start: string } | null {
  const close = text.lastIndexOf(')');
  const fields =
    close < 0
      ? []
      : text
          .slice(close + 1)
          .trim()
          .split(/\s+/);
  const [state, start] = [fields[0], fields[19]];
  return state === undefined || start === undefined || !/^\d+$/.test(start) ? null : { state, start };
}

/** State letter and start time from `ps -o stat=,lstart=` (macOS). */
export function parsePs(text: string): { state: string; start: string } | null {
  const match = /^\s*(\S)\S*\s+(\S.*?)\s*$/.exec(text);
  const [state, start] = [match?.[1], match?.[2]];
  return state === undefined || start === undefined ? null : { state, start: start.replace(/\s+/g, ' ') };
}

function lookAt(pid: number, probe: SystemProbe): { state: string; start: string } | null {
  if (probe.platform === 'linux') {
    const text = probe.readText(`/proc/${pid}/stat`);
    return text === null ? null : parseProcStat(text);
  }
  const text = probe.run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
  return text === null ? null : parsePs(text);
}

function lookAround(probe: SystemProbe): Place {
  if (probe.platform === 'linux') {
    return {
      boot: trimmed(probe.readText('/proc/sys/kernel/random/boot_id')),
      machine: trimmed(probe.readText('/etc/machine-id')) ?? trimmed(probe.readText('/proc/sys/kernel/hostname')),
      namespace: trimmed(probe.readLink('/proc/self/ns/pid')),
    };
  }
  return {
    boot: trimmed(probe.run('sysctl', ['-n', 'kern.bootsessionuuid'])),
    machine: /"IOPlatformUUID" = "([^"]+)"/.exec(probe.run('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']) ?? '')?.[1] ?? null,
    namespace: null,
  };
}

/** The identity of a process of this machine, as far as it can be seen. */
export function identify(pid: number, probe: SystemProbe): ProcessIdentity {
  return { pid, start: lookAt(pid, probe)?.start ?? null, ...probe.here() };
}

/** `gone` and `alive` are proofs; everything else is `unknown`. */
export type Presence = 'alive' | 'gone' | 'unknown';

/** Whether the process of `record` still runs, seen from this machine. A zombie is gone: it only waits for its parent to look. */
export function presence(record: ProcessIdentity, probe: SystemProbe): Presence {
  const now = probe.here();
  if (record.boot === null || now.boot === null) return 'unknown';
  if (record.boot !== now.boot) return record.machine !== null && record.machine === now.machine ? 'gone' : 'unknown';
  if (record.namespace !== now.namespace) return 'unknown';
  if (!probe.exists(record.pid)) return 'gone';
  const found = lookAt(record.pid, probe);
  // It may have ended between the two looks.
  if (found === null) return probe.exists(record.pid) ? 'unknown' : 'gone';
  if (found.state === 'Z' || found.state === 'X') return 'gone';
  if (record.start === null) return 'unknown';
  return found.start === record.start ? 'alive' : 'gone';
}

/** The text of a `pid` file, a line each: pid, start time, boot id, machine, pid namespace; `-` where unknown. */
export function formatIdentity(record: ProcessIdentity): string {
  return `${[record.pid, record.start, record.boot, record.machine, record.namespace].map((part) => part ?? '-').join('\n')}\n`;
}

/** The identity that a `pid` file names, null where the text is none (empty, half-written). */
export function parseIdentity(text: string): ProcessIdentity | null {
  const [pid, ...rest] = text.split('\n').map((line) => line.trim());
  if (pid === undefined || !/^[1-9]\d*$/.test(pid) || !text.endsWith('\n') || rest.length !== 5) return null;
  const [start, boot, machine, namespace] = rest.map((part) => (part === '' || part === '-' ? null : part));
  return { pid: Number(pid), start: start ?? null, boot: boot ?? null, machine: machine ?? null, namespace: namespace ?? null };
}
