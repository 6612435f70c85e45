/** The install that this workbench carries out: going on whoever watches, told from its beginning to each who does. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import { parseJson } from '../../../shared/parse-input.ts';
import {
  type InstallEvent,
  TENSORFLOW_FOLDER,
  TENSORFLOW_RECORD,
  TensorflowInstall,
  type TensorflowKind,
  type TensorflowState,
} from '../../../shared/tensorflow-install.ts';
import { homeFolder } from '../../data/location.ts';
import { type InstallOptions, installTensorflow, uninstallTensorflow } from './install.ts';
import { bytesOf } from './wheels.ts';

interface Task {
  kind: TensorflowKind;
  /** Steps from the first on; of progress only the last word. */
  events: InstallEvent[];
  over: boolean;
  error: unknown;
  stop: AbortController;
  wake: PromiseWithResolvers<void>;
}

type Install = (options: InstallOptions) => Promise<TensorflowInstall>;

export class InstallTask {
  private task: Task | null = null;
  private readonly install: Install;

  constructor(install: Install = installTensorflow) {
    this.install = install;
  }

  private start(kind: TensorflowKind): Task {
    const task: Task = { kind, events: [], over: false, error: null, stop: new AbortController(), wake: Promise.withResolvers<void>() };
    const tell = (event?: InstallEvent): void => {
      if (event?.type === 'progress' && task.events.at(-1)?.type === 'progress') task.events.pop();
      if (event !== undefined) task.events.push(event);
      task.wake.resolve();
      task.wake = Promise.withResolvers<void>();
    };
    const carryOut = async (): Promise<void> => {
      try {
        const install = await this.install({
          home: homeFolder(),
          kind,
          signal: task.stop.signal,
          onStep: (text) => tell({ type: 'step', text }),
          onProgress: (what, bytes, total) => tell({ type: 'progress', what, bytes, total }),
        });
        tell({ type: 'done', install });
      } catch (error) {
        task.error = task.stop.signal.aborted ? task.stop.signal.reason : error;
      }
      task.over = true;
      this.task = null;
      tell();
    };
    this.task = task;
    void carryOut();
    return task;
  }

  /** Follows the install, begun now where none goes on. To stop following does not stop it. Errors: those of the install; InputError where one of the other kind goes on. */
  async *follow(kind: TensorflowKind, signal: AbortSignal): AsyncGenerator<InstallEvent> {
    const task = this.task ?? this.start(kind);
    if (task.kind !== kind) throw new InputError(`an install for ${task.kind} goes on; stop it or wait for its end`, 'kind');
    const gone = new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    let seen = 0;
    let last: InstallEvent | undefined;
    while (!signal.aborted) {
      const { wake, over } = task;
      // The last word may have been replaced by a newer one.
      const fresh = task.events.slice(task.events[seen - 1] === last ? seen : Math.max(0, seen - 1));
      seen = task.events.length;
      last = task.events.at(-1);
      for (const event of fresh) yield event;
      if (over) {
        if (task.error !== null) throw task.error;
        return;
      }
      await Promise.race([wake.promise, gone]);
    }
  }

  /** False: there was none. */
  stop(): boolean {
    this.task?.stop.abort(new Error('the install was stopped; what was fetched stays, and another install goes on from there'));
    return this.task !== null;
  }

  async state(): Promise<TensorflowState> {
    const home = homeFolder();
    const folder = join(home, TENSORFLOW_FOLDER);
    const record = join(folder, TENSORFLOW_RECORD);
    const installed = existsSync(record)
      ? (TensorflowInstall.safeParse(parseJson(await readFile(record, 'utf8'), TENSORFLOW_RECORD)).data ?? null)
      : null;
    const parts = await Promise.all(['', '.download', '.building'].map((ending) => bytesOf(folder + ending)));
    return { home, installed, bytes: parts.reduce((sum, bytes) => sum + bytes, 0), installing: this.task?.kind ?? null };
  }

  /** Bytes that were freed. Errors: InputError while an install goes on. */
  async uninstall(): Promise<number> {
    if (this.task !== null) throw new InputError('an install goes on; stop it first', 'name');
    return (await uninstallTensorflow(homeFolder())) ?? 0;
  }
}
