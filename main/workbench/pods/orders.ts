/** Orders under way in this process: each is carried out once, however many watch it, and goes on when they leave. */
import type { PodOrder, PodProgress, PodView } from '../../../shared/pods.ts';

export type CarryOut = (order: PodOrder, onProgress: (progress: PodProgress) => void, signal: AbortSignal) => Promise<PodView>;

interface Order {
  told: PodProgress[];
  stop: AbortController;
  /** Resolves at its end, with what went wrong, or null. */
  ended: Promise<{ error: unknown } | null>;
  over: boolean;
  wake: Set<() => void>;
}

export class PodOrders {
  private readonly orders = new Map<string, Order>();
  private readonly carryOut: CarryOut;

  constructor(carryOut: CarryOut) {
    this.carryOut = carryOut;
  }

  private begin(given: PodOrder): Order {
    const order: Order = { told: [], stop: new AbortController(), ended: Promise.resolve(null), over: false, wake: new Set() };
    const tell = (progress: PodProgress): void => {
      order.told.push(progress);
      for (const wake of order.wake) wake();
    };
    const began = performance.now();
    order.ended = this.carryOut(given, tell, order.stop.signal)
      .then(
        (pod) => {
          tell({ phase: 'ready', text: 'The pod is ready.', seconds: (performance.now() - began) / 1000, pod });
          return null;
        },
        (error: unknown) => ({ error }),
      )
      .finally(() => {
        order.over = true;
        for (const wake of order.wake) wake();
      });
    this.orders.set(given.request, order);
    return order;
  }

  /** What was told of an order and what is told yet. Errors: those of carrying it out. */
  async *follow(given: PodOrder, signal: AbortSignal): AsyncGenerator<PodProgress> {
    const known = this.orders.get(given.request);
    // One that failed may be tried again.
    const order = known === undefined || (known.over && (await known.ended) !== null) ? this.begin(given) : known;
    let at = 0;
    while (!signal.aborted) {
      const next = order.told[at];
      if (next !== undefined) {
        at++;
        yield next;
        continue;
      }
      if (order.over) break;
      await new Promise<void>((done) => {
        const wake = (): void => {
          order.wake.delete(wake);
          signal.removeEventListener('abort', wake);
          done();
        };
        order.wake.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
    if (signal.aborted) return;
    const failed = await order.ended;
    if (failed !== null) throw failed.error;
  }

  /** False where nothing is waited for. */
  abandon(request: string): boolean {
    const order = this.orders.get(request);
    if (order === undefined || order.over) return false;
    order.stop.abort(new Error('no longer waited for; a pod that was made is still there and costs money: look at the list of pods'));
    return true;
  }
}
