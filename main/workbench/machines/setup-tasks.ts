/** Setups that an app carries out: one a machine, going on whoever watches, told from their beginning to each who does. */
import type { SetupEvent, SetupOptions } from '../../../shared/machine-setup.ts';
import type { Machine } from '../../machine/machine.ts';
import { setUpMachine } from './setup.ts';

/** Texts of programs that are kept for who comes later; what is told besides is always kept. */
const MOST_TEXTS = 2000;

interface Task {
  events: SetupEvent[];
  texts: number;
  /** Counts up with each event, also those that are no longer kept. */
  count: number;
  over: boolean;
  error: unknown;
  stop: AbortController;
  wake: PromiseWithResolvers<void>;
}

export class SetupTasks {
  private readonly tasks = new Map<string, Task>();
  private readonly after: (machine: Machine, signal: AbortSignal) => Promise<unknown>;

  /** `after`: what else is done on a machine once it is set up; its errors are the setup's. */
  constructor(after: (machine: Machine, signal: AbortSignal) => Promise<unknown> = async () => undefined) {
    this.after = after;
  }

  private start(machine: Machine, root: string, options: SetupOptions): Task {
    const task: Task = {
      events: [],
      texts: 0,
      count: 0,
      over: false,
      error: null,
      stop: new AbortController(),
      wake: Promise.withResolvers<void>(),
    };
    const tell = (): void => {
      task.wake.resolve();
      task.wake = Promise.withResolvers<void>();
    };
    const carryOut = async (): Promise<void> => {
      try {
        for await (const event of setUpMachine(machine, root, options, task.stop.signal)) {
          if (event.type === 'report') await this.after(machine, task.stop.signal);
          task.events.push(event);
          task.count++;
          if (event.type === 'output' && ++task.texts > MOST_TEXTS) {
            task.events.splice(
              task.events.findIndex(({ type }) => type === 'output'),
              1,
            );
            task.texts--;
          }
          tell();
        }
      } catch (error) {
        task.error = error;
      }
      task.over = true;
      this.tasks.delete(machine.name);
      tell();
    };
    this.tasks.set(machine.name, task);
    void carryOut();
    return task;
  }

  /** Follows the setup of a machine, begun now where none goes on. Errors: those of the setup. To stop following does not stop it. */
  async *follow(machine: Machine, root: string, options: SetupOptions, signal: AbortSignal): AsyncGenerator<SetupEvent> {
    const task = this.tasks.get(machine.name) ?? this.start(machine, root, options);
    const gone = new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    let seen = 0;
    while (!signal.aborted) {
      // One look at all of it: more may come while what is new is handed on.
      const { wake, count, over } = task;
      const fresh = task.events.slice(Math.max(0, task.events.length - (count - seen)));
      seen = count;
      for (const event of fresh) yield event;
      if (over) {
        if (task.error !== null) throw task.error;
        return;
      }
      await Promise.race([wake.promise, gone]);
    }
  }

  /** Ends the setup of a machine and the step that goes on there. False: there was none. */
  stop(name: string): boolean {
    const task = this.tasks.get(name);
    task?.stop.abort(new Error('the setup was stopped; what is done stays, and the next one goes on from there'));
    return task !== undefined;
  }
}
