/** A machine over SSH. */
import { posix } from 'node:path';
import type { ConnectionState } from '../../../shared/machine-connection.ts';
import {
  type DetachedOptions,
  type DownloadOptions,
  type ExecOptions,
  type ExecResult,
  type FileInfo,
  type FolderEntry,
  type Machine,
  type MachineConnection,
  MachineError,
  type Uploaded,
  type UploadOptions,
} from '../machine.ts';
import { absolutePath, removablePath } from '../remote-path.ts';
import { downloadFiles, type FileAccess, uploadFiles } from '../transfer.ts';
import { type AskPassphrase, Keyring } from './authentication.ts';
import { type Hop, type HostKeyPolicy, openLink, type Timing } from './connect.ts';
import { execScript } from './exec-channel.ts';
import { type Link, plainWords } from './link.ts';
import { Reconnector } from './reconnector.ts';
import { detachedScript, execScript as execText, HASH_SCRIPT } from './remote-script.ts';
import { SftpFiles } from './sftp-files.ts';

export interface SshMachineOptions {
  name: string;
  /** Where it is and by whose keys, the hosts that lead to it first. Asked anew before each attempt: an address may have changed. */
  route: () => Promise<readonly Hop[]>;
  hostKeys: HostKeyPolicy;
  passphrase?: AskPassphrase;
  timing?: Timing;
  /** Seconds before each further attempt. */
  backoff?: readonly number[];
  /** Milliseconds that an operation waits for a connection. @default 60000 */
  waitMs?: number;
}

/** Attempts of a transfer that gets no further. */
const MOST_BREAKS = 5;
/** Paths in one command. */
const PATHS_AT_ONCE = 500;

export class SshMachine implements Machine {
  readonly name: string;
  readonly connection: MachineConnection;
  private readonly links: Reconnector<Link>;
  private homePath: string | null = null;

  constructor(options: SshMachineOptions) {
    this.name = options.name;
    const keyring = new Keyring(options.passphrase);
    const { hostKeys, timing } = options;
    this.links = new Reconnector<Link>({
      name: options.name,
      backoff: options.backoff,
      waitMs: options.waitMs,
      open: async (signal) => openLink(await options.route(), { machine: options.name, keyring, hostKeys, timing, signal }),
    });
    const { links } = this;
    this.connection = {
      get state(): ConnectionState {
        return links.state;
      },
      subscribe: (listener) => links.subscribe(listener),
      connect: () => links.connect(),
      retry: () => links.retry(),
      probe: (timeoutMs) => this.probe(timeoutMs),
    };
  }

  private async probe(timeoutMs = 5000): Promise<boolean> {
    if (this.links.state.state !== 'connected') {
      this.links.retry();
      return false;
    }
    const link = await this.links.link();
    try {
      return (await execScript(link, 'a sign of life', 'exec true', { timeoutMs, signal: AbortSignal.timeout(timeoutMs) })).code === 0;
    } catch {
      this.links.drop(link, `no sign of life within ${timeoutMs / 1000} s`);
      return false;
    }
  }

  /** Does it on the link. Where an answer failed to come the connection may be dead without anybody having said so. */
  private async on<T>(work: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const link = await this.links.link(signal);
    try {
      return await work(link);
    } catch (error) {
      if (error instanceof MachineError && error.kind === 'timeout') void this.probe();
      throw error;
    }
  }

  private async at(path: string): Promise<string> {
    return absolutePath(path, path.startsWith('~') ? await this.home() : '/');
  }

  private async run(command: readonly string[], options: ExecOptions): Promise<ExecResult> {
    if (command.length === 0) throw new TypeError('an empty command');
    const { cwd, env, ...rest } = options;
    const script = execText(command, { cwd: cwd === undefined ? undefined : await this.at(cwd), env });
    return this.on((link) => execScript(link, command[0] ?? '', script, rest), options.signal);
  }

  exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.run(command, options);
  }

  async startDetached(command: readonly string[], { cwd, env, log }: DetachedOptions): Promise<{ pid: number }> {
    if (command.length === 0) throw new TypeError('an empty command');
    const script = detachedScript(command, await this.at(log), { cwd: cwd === undefined ? undefined : await this.at(cwd), env });
    const { code, stdout, stderr } = await this.on((link) => execScript(link, command[0] ?? '', script, {}));
    const pid = Number(stdout.trim());
    if (code !== 0 || !Number.isSafeInteger(pid) || pid <= 0)
      throw new MachineError('failed', `${command[0]} could not be started: ${plainWords(stderr) || `code ${code}`}`);
    return { pid };
  }

  async readFrom(
    path: string,
    offset: number,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<{ bytes: Uint8Array; size: number } | null> {
    const whole = await this.at(path);
    return this.on(async (link) => (await SftpFiles.on(link)).readFrom(whole, offset, maxBytes, signal), signal);
  }

  async append(path: string, text: string): Promise<void> {
    const whole = await this.at(path);
    return this.on(async (link) => (await SftpFiles.on(link)).append(whole, Buffer.from(text)));
  }

  async writeFile(path: string, content: Uint8Array | string, { mode = 0o600 }: { mode?: number } = {}): Promise<void> {
    const whole = await this.at(path);
    await this.makeFolders([posix.dirname(whole)]);
    return this.on(async (link) => (await SftpFiles.on(link)).write(whole, Buffer.from(content), mode));
  }

  private async makeFolders(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += PATHS_AT_ONCE) {
      const { code, stderr } = await this.run(['mkdir', '-p', '--', ...paths.slice(at, at + PATHS_AT_ONCE)], {});
      if (code !== 0) throw new MachineError('failed', plainWords(stderr) || `mkdir ended with code ${code}`);
    }
  }

  async makeFolder(path: string): Promise<void> {
    await this.makeFolders([await this.at(path)]);
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [await this.at(from), await this.at(to)];
    return this.on(async (link) => (await SftpFiles.on(link)).rename(source, target));
  }

  private async hashes(paths: readonly string[], signal?: AbortSignal): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    for (let at = 0; at < paths.length; at += PATHS_AT_ONCE) {
      const some = paths.slice(at, at + PATHS_AT_ONCE);
      const odd = some.find((path) => path.includes('\n'));
      if (odd !== undefined) throw new MachineError('unsafe', `${JSON.stringify(odd)} holds a line break; such a name is not taken`);
      // Large files take their time; a connection that dies meanwhile is noticed by its keepalive.
      const input = `${some.join('\n')}\n`;
      const { code, stdout, stderr } = await this.run(['/bin/sh', '-c', HASH_SCRIPT], { input, timeoutMs: 0, signal });
      const lines = stdout.split('\n').slice(0, -1);
      if (code !== 0 || lines.length !== some.length)
        throw new MachineError('failed', `no SHA-256 could be had from ${this.name}: ${plainWords(stderr) || `code ${code}`}`);
      for (const [index, line] of lines.entries()) {
        const hash = /^\\?([0-9a-f]{64})\b/.exec(line)?.[1];
        const path = some[index];
        if (hash !== undefined && path !== undefined) hashes.set(path, hash);
      }
    }
    return hashes;
  }

  private readonly access: FileAccess = {
    stat: (path) => this.on(async (link) => (await SftpFiles.on(link)).stat(path)),
    list: (path) => this.on(async (link) => (await SftpFiles.on(link)).list(path)),
    hashes: (paths, signal) => this.hashes(paths, signal),
    makeFolders: (paths) => this.makeFolders(paths),
    put: (from, to, mode, onBytes, signal) =>
      this.on(async (link) => (await SftpFiles.on(link)).put(from, to, mode, onBytes, signal), signal),
    get: (from, to, offset, size, onBytes, signal) =>
      this.on(async (link) => (await SftpFiles.on(link)).get(from, to, offset, size, onBytes, signal), signal),
  };

  /** A transfer goes on after a break, as long as it gets further. */
  private async throughBreaks<T>(work: (onBytes: (done: number) => void) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let best = -1;
    let reached = 0;
    for (let breaks = 0; ; ) {
      try {
        return await work((done) => {
          reached = Math.max(reached, done);
        });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof MachineError) || error.kind !== 'lost') throw error;
        breaks = reached > best ? 1 : breaks + 1;
        best = reached;
        if (breaks >= MOST_BREAKS) throw error;
      }
    }
  }

  async upload(from: string, to: string, options: UploadOptions = {}): Promise<Uploaded> {
    const target = await this.at(to);
    const { onProgress, signal } = options;
    let before = 0;
    return this.throughBreaks(async (onBytes) => {
      let sentNow = 0;
      let first: number | null = null;
      const tell = (done: number, total: number): void => {
        first ??= done;
        sentNow = done - first;
        onBytes(done);
        onProgress?.(done, total);
      };
      try {
        const uploaded = await uploadFiles(this.access, from, target, { ...options, onProgress: tell });
        return { ...uploaded, sent: uploaded.sent + before };
      } catch (error) {
        before += sentNow;
        throw error;
      }
    }, signal);
  }

  async download(from: string, to: string, options: DownloadOptions = {}): Promise<void> {
    const source = await this.at(from);
    const { onProgress, signal } = options;
    return this.throughBreaks(
      (onBytes) =>
        downloadFiles(this.access, source, to, {
          ...options,
          onProgress(done, total) {
            onBytes(done);
            onProgress?.(done, total);
          },
        }),
      signal,
    );
  }

  async stat(path: string): Promise<FileInfo | null> {
    return this.access.stat(await this.at(path));
  }

  async list(path: string): Promise<FolderEntry[] | null> {
    return this.access.list(await this.at(path));
  }

  async remove(path: string): Promise<void> {
    const whole = removablePath(await this.at(path), await this.home());
    const { code, stderr } = await this.run(['rm', '-rf', '--', whole], { timeoutMs: 600_000 });
    if (code !== 0) throw new MachineError('failed', `${whole} could not be removed: ${plainWords(stderr) || `code ${code}`}`);
  }

  async home(): Promise<string> {
    if (this.homePath !== null) return this.homePath;
    const { stdout } = await this.run(['/bin/sh', '-c', 'printf %s "$HOME"'], {});
    if (!stdout.startsWith('/') || stdout.includes('\n'))
      throw new MachineError('failed', `${this.name} gives no home folder (${JSON.stringify(stdout.slice(0, 100))})`);
    this.homePath = posix.normalize(stdout);
    return this.homePath;
  }

  async close(): Promise<void> {
    this.links.close();
  }
}
