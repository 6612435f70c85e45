/** Events from callbacks, taken one after the other. */

export interface EventQueue<T> {
  push(event: T): void;
  /** Gives the events while `work` goes on, and at its end what came of it. Errors: those of `work`. */
  during<R>(work: Promise<R>): AsyncGenerator<T, R>;
}

export function eventQueue<T>(): EventQueue<T> {
  const events: T[] = [];
  let wake = Promise.withResolvers<void>();
  return {
    push(event) {
      events.push(event);
      wake.resolve();
    },
    async *during(work) {
      let over = false;
      const ended = (): void => {
        over = true;
        wake.resolve();
      };
      work.then(ended, ended);
      for (;;) {
        for (let event = events.shift(); event !== undefined; event = events.shift()) yield event;
        if (over) return await work;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
  };
}
