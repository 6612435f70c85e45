/** The line to an engine: a Unix socket that only its owner can use, requests with their answers, and the news of its loss. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../../shared/input-error.ts';
import { EngineLost } from './engine-lost.ts';
import { type EngineProcess, type ProcessEnd, startEngine } from './engine-process.ts';
import { encodeFrame, type Frame, FrameReader, type FrameTensor, PROTOCOL } from './frame.ts';
import { EngineMessage, type Hello } from './messages.ts';
import { ENGINE_FOLDER, noPython, UNFIT } from './python-program.ts';

/** Milliseconds that an engine has to end by itself before it is killed. */
const PATIENCE = 5000;

export interface Answer {
  data: Record<string, unknown>;
  tensors: Frame['tensors'];
}

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** Tokens of a generation, as they come. */
  onTokens?: (tensors: Frame['tensors']) => void;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
  onTokens: RequestOptions['onTokens'];
  signal: AbortSignal | undefined;
}

export interface LinkOptions {
  python: string;
  processes: number;
  threads: number;
  onLog: (line: string) => void;
  signal?: AbortSignal | undefined;
}

export class EngineLink {
  readonly hello: Hello;
  private readonly socket: Socket;
  private readonly process: EngineProcess;
  private readonly folder: string;
  /** Nobody wants to read what it prints while it is being ended. */
  private readonly quiet: { now: boolean };
  private readonly waiting = new Map<number, Waiting>();
  private requests = 0;
  private lost: Promise<EngineLost> | undefined;
  private lostRank: number | null = null;
  private disposed = false;

  private constructor(
    socket: Socket,
    reader: FrameReader,
    process: EngineProcess,
    folder: string,
    quiet: { now: boolean },
    hello: Hello,
    early: Frame[],
  ) {
    this.socket = socket;
    this.process = process;
    this.folder = folder;
    this.quiet = quiet;
    this.hello = hello;
    for (const frame of early) this.receive(frame);
    socket.on('data', (piece: Buffer) => this.read(reader, piece));
    // What broke is told by `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => this.lose());
    // It was held up since hello, so that nothing was missed.
    socket.resume();
  }

  /**
   * Starts an engine and waits for its hello. Errors: InputError saying what to install where Python or a package is missing or of another
   * version; EngineLost where it ends before; the signal's reason when aborted.
   */
  static async start(options: LinkOptions): Promise<EngineLink> {
    options.signal?.throwIfAborted();
    // mkdtemp makes it with mode 0700: nobody else can reach what is inside, from the first moment.
    const folder = await mkdtemp(join(tmpdir(), 'mlt-engine-'));
    const path = join(folder, 'runner.sock');
    const server = createServer();
    let engine: EngineProcess | undefined;
    try {
      await new Promise<void>((resolve, reject) => server.on('error', reject).listen(path, resolve));
      await chmod(path, 0o600);
      const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
      const quiet = { now: false };
      const onLog = (line: string): void => {
        if (!quiet.now) options.onLog(line);
      };
      engine = startEngine({ ...options, onLog, socket: path });
      const socket = await orEnd(connected, engine, options);
      const reader = new FrameReader();
      const [first, ...early] = await orEnd(firstFrames(socket, reader), engine, options);
      const hello = helloOf(first);
      return new EngineLink(socket, reader, engine, folder, quiet, hello, early);
    } catch (error) {
      engine?.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      throw error;
    } finally {
      closeServer(server);
    }
  }

  /**
   * One request and its answer. Errors: the engine's message; the signal's reason once the engine has stopped; EngineLost.
   */
  async request(header: Record<string, unknown>, tensors: Record<string, FrameTensor>, options: RequestOptions = {}): Promise<Answer> {
    const { signal, onTokens } = options;
    if (this.lost) throw await this.lost;
    if (this.disposed) throw new Error('the engine of this policy has been ended');
    signal?.throwIfAborted();
    const id = ++this.requests;
    const answer = new Promise<Answer>((resolve, reject) => this.waiting.set(id, { resolve, reject, onTokens, signal }));
    const cancel = (): void => this.send({ verb: 'cancel', id });
    signal?.addEventListener('abort', cancel, { once: true });
    this.send({ ...header, id }, tensors);
    try {
      return await answer;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  private send(header: Record<string, unknown>, tensors: Record<string, FrameTensor> = {}): void {
    if (this.socket.writable) this.socket.write(encodeFrame(header, tensors));
  }

  private read(reader: FrameReader, piece: Buffer): void {
    try {
      for (const frame of reader.push(piece)) this.receive(frame);
    } catch (error) {
      // Nothing that follows can be understood.
      this.socket.destroy(error instanceof Error ? error : undefined);
    }
  }

  private receive({ header, tensors }: Frame): void {
    const message = EngineMessage.parse(header);
    if (message.type === 'lost') {
      this.lostRank = message.rank;
      return;
    }
    if (message.type === 'hello') return;
    const waiting = this.waiting.get(message.id);
    if (waiting === undefined) return;
    if (message.type === 'tokens') {
      waiting.onTokens?.(tensors);
      return;
    }
    if (message.type === 'error' && message.kind === 'broken') return;
    this.waiting.delete(message.id);
    if (message.type === 'reply') waiting.resolve({ data: message.data, tensors });
    else if (message.kind === 'cancelled' && waiting.signal?.aborted) waiting.reject(waiting.signal.reason);
    else waiting.reject(new Error(message.message));
  }

  /** The socket is closed: says so to everyone who waits, once it is known how the engine ended. */
  private lose(): void {
    if (this.disposed || this.lost) return;
    this.lost = this.howItEnded();
    void this.lost.then((lost) => {
      for (const { reject } of this.waiting.values()) reject(lost);
      this.waiting.clear();
    });
  }

  private async howItEnded(): Promise<EngineLost> {
    const end = await endOf(this.process);
    await rm(this.folder, { recursive: true, force: true });
    const who = this.lostRank === null ? '' : `rank ${this.lostRank} of ${this.hello.ranks} is gone, and with it the rest: `;
    return new EngineLost(`the PyTorch engine was lost: ${who}${end.why}`, this.lostRank);
  }

  /** Ends the engine and waits until no process of it is left. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    this.quiet.now = true;
    this.send({ verb: 'dispose', id: ++this.requests });
    this.socket.end();
    await endOf(this.process);
    this.socket.destroy();
    for (const { reject } of this.waiting.values()) reject(new Error('the engine of this policy has been ended'));
    this.waiting.clear();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits for the end; asks for it, and at last forces it, where it does not come by itself. */
async function endOf(engine: EngineProcess): Promise<ProcessEnd> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const timer = new AbortController();
    const late = sleep(PATIENCE, null, { signal: timer.signal }).catch(() => null);
    const end = await Promise.race([engine.ended, late]);
    timer.abort();
    if (end !== null) return end;
    engine.kill(signal);
  }
  return engine.ended;
}

/** What comes first: the result, the end of the engine, or the signal. */
async function orEnd<T>(result: Promise<T>, engine: EngineProcess, { python, signal }: LinkOptions): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([
      result,
      stopped.promise,
      engine.ended.then((end) => {
        throw notStarted(end, python);
      }),
    ]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function notStarted(end: ProcessEnd, python: string): Error {
  if (end.missing) return new InputError(noPython(python), 'backend');
  if (end.code === UNFIT) return new InputError(end.why.replace(/^.*?it said: /, ''), 'backend');
  if (/No module named '?torch/.test(end.why)) return new InputError(withoutTorch(python), 'backend');
  return new EngineLost(`the PyTorch engine did not start: ${end.why}`);
}

const withoutTorch = (python: string): string =>
  `${python} has no PyTorch; install what the engine needs: ${python} -m pip install -r ${join(ENGINE_FOLDER, 'requirements.txt')}`;

function firstFrames(socket: Socket, reader: FrameReader): Promise<Frame[]> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      socket.off('data', take);
      socket.off('close', closed);
    };
    const closed = (): void => {
      stop();
      reject(new EngineLost('the PyTorch engine hung up before it said hello'));
    };
    const take = (piece: Buffer): void => {
      try {
        const frames = reader.push(piece);
        if (frames.length === 0) return;
        stop();
        socket.pause();
        resolve(frames);
      } catch (error) {
        stop();
        reject(error);
      }
    };
    socket.on('data', take);
    socket.on('close', closed);
    socket.on('error', () => undefined);
  });
}

/** Errors: Error where the engine is of another version than this program. */
function helloOf(frame: Frame | undefined): Hello {
  const { protocol, engine, type } = frame?.header ?? {};
  if (type === 'hello' && protocol !== PROTOCOL) {
    throw new InputError(
      `the PyTorch engine at hand is version ${engine} and speaks protocol ${protocol}, this program protocol ${PROTOCOL}; take both from one release (medlogictrace machines setup puts the right one on a machine)`,
      'backend',
    );
  }
  const message = EngineMessage.parse(frame?.header);
  if (message.type !== 'hello') throw new EngineLost(`the PyTorch engine began with "${message.type}" instead of hello`);
  return message;
}

function closeServer(server: Server): void {
  server.removeAllListeners('connection');
  server.close();
}
