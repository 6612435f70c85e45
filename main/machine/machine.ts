/**
 * A machine that runs are carried out on: this one, or one reached over SSH. Both pass one conformance suite
 * (test/integration/machine-conformance.test.ts).
 *
 * Paths are absolute, or begin with `~/` and mean the home folder there; anything else is an InputError. An operation that is begun while
 * there is no connection waits for one (`MachineError` of kind `lost` after a while); one that is under way when the connection goes fails
 * with `lost`, and nothing is known then of what it did: reads can be asked again, so can `writeFile`, `upload`, `download`, which leave
 * either the old or the new; `append` and `exec` only where the caller can see what happened.
 */
import type { ConnectionState } from '../../shared/machine-connection.ts';

export interface ExecOptions {
  /** Standard input, closed after it; absent: empty. */
  input?: string | Uint8Array;
  /** Added to the environment there; never visible in a command line. Values hold no line breaks. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Milliseconds until the command is ended and the call fails. @default 60000; 0: none */
  timeoutMs?: number;
  /** Bytes of both streams together, after which the command is ended and the call fails. @default 8 MiB */
  maxOutput?: number;
  signal?: AbortSignal;
  onOutput?: (piece: OutputPiece) => void;
}

/** Text as it comes; a character is never torn in two. */
export interface OutputPiece {
  stream: 'stdout' | 'stderr';
  text: string;
}

export interface ExecResult {
  /** 128 + n after signal n; 127 where there is no such program. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface DetachedOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** File that both streams are appended to; its folder is made. */
  log: string;
}

export interface FileInfo {
  type: 'file' | 'folder' | 'link' | 'other';
  /** Bytes. */
  size: number;
  /** By the clock of that machine. */
  mtimeMs: number;
}

export interface FolderEntry extends FileInfo {
  /** One part of a path: never empty, `.`, `..`, nor with a slash in it, whatever the machine says. */
  name: string;
}

export interface TransferOptions {
  /** Bytes done of all, those included that need not be sent. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface UploadOptions extends TransferOptions {
  /** Of a folder only these files, by their path below it with `/`. */
  only?: readonly string[];
}

export interface DownloadOptions extends TransferOptions {
  /** Of a single file: what it must have; absent: what the machine says it has. Lower-case hexadecimal. */
  sha256?: string;
}

export interface Uploaded {
  files: number;
  /** Bytes of all files. */
  bytes: number;
  /** Bytes that had to be sent; 0 where all was there already. */
  sent: number;
}

/** What is seen of the connection. For this machine it is always connected. */
export interface MachineConnection {
  readonly state: ConnectionState;
  /** Told at each change; the function returned ends that. */
  subscribe(listener: (state: ConnectionState) => void): () => void;
  /** One attempt, now. Errors: why it failed (`refused`, `lost`); it is not tried again by itself then. */
  connect(): Promise<void>;
  /** Tries at once instead of at the next turn, also after a refusal. Does nothing while connected. */
  retry(): void;
  /** Whether the machine answers within `timeoutMs` (default 5000); a connection that does not is given up and made anew. */
  probe(timeoutMs?: number): Promise<boolean>;
}

export interface Machine {
  /** `local`, or its name in the list of machines. */
  readonly name: string;
  readonly connection: MachineConnection;
  /** Runs a program by its arguments, without a shell between. Errors: MachineError `timeout`, `output`, `lost`, `refused`. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Starts a program that outlives connection and app, in a session of its own. Errors: there is no such program, folder or log. */
  startDetached(command: readonly string[], options: DetachedOptions): Promise<{ pid: number }>;
  /** Up to `maxBytes` from `offset`, and the size of the file now; null: there is no such file. At its end: no bytes. */
  readFrom(path: string, offset: number, maxBytes: number, signal?: AbortSignal): Promise<{ bytes: Uint8Array; size: number } | null>;
  /** Adds to the end in one piece; makes the file where there is none. */
  append(path: string, text: string): Promise<void>;
  /** Whole or not at all (temporary name, then rename); makes the folder. `mode` @default 0o600 */
  writeFile(path: string, content: Uint8Array | string, options?: { mode?: number }): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Moves within a file system; a file at `to` is replaced. */
  rename(from: string, to: string): Promise<void>;
  /**
   * A file or a folder of this computer goes there, whole files under temporary names. What is there with the same SHA-256 is not sent again;
   * files of the folder there that are not in the one here stay. Errors: a link in the folder, a file that changes meanwhile.
   */
  upload(from: string, to: string, options?: UploadOptions): Promise<Uploaded>;
  /**
   * A file or a folder there comes to this computer. A broken transfer goes on where it was (`<to>.part`), and a file gets its name when its
   * SHA-256 is right. Errors: it is not there; a link or a strange name in the folder; content that does not verify.
   */
  download(from: string, to: string, options?: DownloadOptions): Promise<void>;
  /** Null: there is no such file. Links are not followed. */
  stat(path: string): Promise<FileInfo | null>;
  /** In the order of their names; null: there is no such folder. Links are not followed. */
  list(path: string): Promise<FolderEntry[] | null>;
  /** A file or a folder with all in it; links are removed, not what they lead to. Nothing there is no error. */
  remove(path: string): Promise<void>;
  home(): Promise<string>;
  /** Ends the connection, not what was started. */
  close(): Promise<void>;
}

/**
 * Why a machine did not do what was asked.
 * `lost`: no connection (it may come back); `refused`: authentication or host key, the user must look; `timeout`: no answer in time;
 * `output`: more output than was allowed; `unsafe`: the machine answered with a path or link that is not followed; `failed`: it said no.
 */
export class MachineError extends Error {
  override name = 'MachineError';
  readonly kind: 'lost' | 'refused' | 'timeout' | 'output' | 'unsafe' | 'failed';
  constructor(kind: MachineError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export const EXEC_TIMEOUT_MS = 60_000;
export const MAX_OUTPUT = 8 * 1024 * 1024;
