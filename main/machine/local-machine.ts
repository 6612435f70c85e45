/** This computer as a machine. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, openSync, type Stats } from 'node:fs';
import { appendFile, chmod, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { constants, homedir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withoutSecrets } from '../../shared/secret-names.ts';
import { boundedOutput } from './bounded-output.ts';
import {
  type DetachedOptions,
  EXEC_TIMEOUT_MS,
  type ExecOptions,
  type ExecResult,
  type FileInfo,
  type FolderEntry,
  MAX_OUTPUT,
  type Machine,
  type MachineConnection,
  MachineError,
} from './machine.ts';
import { absolutePath, removablePath } from './remote-path.ts';
import { downloadFiles, type FileAccess, fileHash, uploadFiles } from './transfer.ts';

const ifMissing =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };

const infoOf = (found: Stats): FileInfo => ({
  type: found.isSymbolicLink() ? 'link' : found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
  size: found.size,
  mtimeMs: found.mtimeMs,
});

const temporaryFor = (path: string): string => join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);

/** Ends a process and all that it started in its group; on Windows, which has no groups, the process. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const counted = (onBytes: (bytes: number) => void): Transform => {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onBytes(bytes);
      done(null, chunk);
    },
  });
};

const files: FileAccess = {
  stat: (path) => lstat(path).then(infoOf, ifMissing(null)),
  async list(path) {
    const names = await readdir(path).catch(ifMissing(null));
    if (names === null) return null;
    const entries = await Promise.all(
      names.sort().map(async (name): Promise<FolderEntry | null> => {
        const info = await files.stat(join(path, name));
        return info === null ? null : { name, ...info };
      }),
    );
    return entries.filter((entry) => entry !== null);
  },
  async hashes(paths, signal) {
    const hashes = new Map<string, string>();
    for (const path of paths) if ((await files.stat(path))?.type === 'file') hashes.set(path, await fileHash(path, signal));
    return hashes;
  },
  async makeFolders(paths) {
    for (const path of paths) await mkdir(path, { recursive: true });
  },
  async put(from, to, mode, onBytes, signal) {
    const temporary = temporaryFor(to);
    try {
      await pipeline(createReadStream(from), counted(onBytes), createWriteStream(temporary, { flags: 'wx', flush: true }), { signal });
      await chmod(temporary, mode);
      await rename(temporary, to);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  },
  async get(from, to, offset, size, onBytes, signal) {
    if (size === offset) return appendFile(to, '');
    await pipeline(
      createReadStream(from, { start: offset, end: size - 1 }),
      counted(onBytes),
      createWriteStream(to, { flags: 'a', flush: true }),
      {
        signal,
      },
    );
  },
};

export class LocalMachine implements Machine {
  readonly name = 'local';
  readonly connection: MachineConnection = {
    state: { state: 'connected', since: new Date().toISOString() },
    subscribe: () => () => undefined,
    connect: async () => undefined,
    retry: () => undefined,
    probe: async () => true,
  };

  private at(path: string): string {
    // Windows has paths of its own form; what is given here is then checked by the system alone.
    return process.platform === 'win32' ? normalize(path.replace(/^~(?=\/|$)/, homedir())) : absolutePath(path, homedir());
  }

  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input, env, cwd, timeoutMs = EXEC_TIMEOUT_MS, maxOutput = MAX_OUTPUT, signal, onOutput } = options;
    const [program, ...args] = command;
    if (program === undefined) throw new TypeError('an empty command');
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
    const child = spawn(program, args, {
      cwd: cwd === undefined ? undefined : this.at(cwd),
      env: { ...withoutSecrets(process.env), ...env },
      stdio: 'pipe',
      detached: process.platform !== 'win32',
    });
    const fail = (error: unknown): void => {
      endGroup(child.pid);
      reject(error);
    };
    const output = boundedOutput(maxOutput, onOutput, () =>
      fail(new MachineError('output', `${program} printed more than ${maxOutput} bytes and was ended`)),
    );
    child.stdout.on('data', (bytes: Buffer) => output.add('stdout', bytes));
    child.stderr.on('data', (bytes: Buffer) => output.add('stderr', bytes));
    // A command need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => fail(new MachineError('timeout', `${program} gave no result within ${timeoutMs} ms and was ended`)), timeoutMs);
    const stop = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', stop);
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      over();
      // As a shell would say it, so that both kinds of machine do.
      if (error.code === 'ENOENT') resolve({ code: 127, stdout: '', stderr: `${program}: not found` });
      else reject(error);
    });
    child.on('close', (code, name) => {
      over();
      resolve({ code: code ?? 128 + (name === null ? 0 : constants.signals[name]), ...output.end() });
    });
    return promise;
  }

  async startDetached(command: readonly string[], { cwd, env, log }: DetachedOptions): Promise<{ pid: number }> {
    const [program, ...args] = command;
    if (program === undefined) throw new TypeError('an empty command');
    const path = this.at(log);
    await mkdir(dirname(path), { recursive: true });
    const descriptor = openSync(path, 'a', 0o600);
    try {
      const child = spawn(program, args, {
        cwd: cwd === undefined ? undefined : this.at(cwd),
        env: { ...withoutSecrets(process.env), ...env },
        stdio: ['ignore', descriptor, descriptor],
        detached: true,
      });
      return await new Promise((done, fail) => {
        child.once('error', (error) => fail(new MachineError('failed', `${program} could not be started: ${error.message}`)));
        child.once('spawn', () => {
          child.unref();
          done({ pid: child.pid ?? -1 });
        });
      });
    } finally {
      closeSync(descriptor);
    }
  }

  async readFrom(path: string, offset: number, maxBytes: number): Promise<{ bytes: Uint8Array; size: number } | null> {
    const file = await open(this.at(path), 'r').catch(ifMissing(null));
    if (file === null) return null;
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, Math.min(maxBytes, size - offset)));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      return { bytes: bytes.subarray(0, bytesRead), size };
    } finally {
      await file.close();
    }
  }

  async append(path: string, text: string): Promise<void> {
    await appendFile(this.at(path), text, { flush: true });
  }

  async writeFile(path: string, content: Uint8Array | string, { mode = 0o600 }: { mode?: number } = {}): Promise<void> {
    const to = this.at(path);
    const temporary = temporaryFor(to);
    await mkdir(dirname(to), { recursive: true });
    try {
      await writeFile(temporary, content, { flag: 'wx', mode, flush: true });
      await chmod(temporary, mode);
      await rename(temporary, to);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async makeFolder(path: string): Promise<void> {
    await mkdir(this.at(path), { recursive: true });
  }

  async rename(from: string, to: string): Promise<void> {
    return rename(this.at(from), this.at(to));
  }

  async upload(from: string, to: string, options?: Parameters<Machine['upload']>[2]): ReturnType<Machine['upload']> {
    return uploadFiles(files, from, this.at(to), options);
  }

  async download(from: string, to: string, options?: Parameters<Machine['download']>[2]): Promise<void> {
    return downloadFiles(files, this.at(from), to, options);
  }

  async stat(path: string): Promise<FileInfo | null> {
    return files.stat(this.at(path));
  }

  async list(path: string): Promise<FolderEntry[] | null> {
    return files.list(this.at(path));
  }

  async remove(path: string): Promise<void> {
    await rm(removablePath(this.at(path), homedir()), { recursive: true, force: true });
  }

  async home(): Promise<string> {
    return homedir();
  }

  async close(): Promise<void> {
    // There is no connection to end.
  }
}
