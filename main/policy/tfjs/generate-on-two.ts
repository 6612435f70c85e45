/** A generate request divided between this thread and the second one. What a row gets does not depend on the thread that computes it. */
import type { GenerateEvent, GenerateRequest } from '../policy.ts';
import type { Replica } from './replica.ts';

/** Fewer rows or sequences than this are not worth a message to another thread. */
export const LEAST_DIVIDED = 4;
/** From so many prompts on, an odd one out does not unbalance the threads. */
const MANY_PROMPTS = 8;

/** A part of a request; its prompt i is prompt `prompts[i]` of the whole. */
export interface RequestPart {
  request: GenerateRequest;
  prompts: number[];
}

/**
 * The parts for this thread and the second; null for a request too small to divide. Prompts go to the threads by turns; where that
 * would be uneven, each thread gets half of every prompt's samples. `batch_size` is shared too.
 */
export function divideRequest(request: GenerateRequest): [RequestPart, RequestPart] | null {
  const { prompts, n, batch_size } = request;
  if (prompts.length * n < LEAST_DIVIDED || batch_size === 1) return null;
  const part = (turn: 0 | 1, change: Partial<GenerateRequest>, indices: number[]): RequestPart => ({
    request: {
      ...request,
      ...(batch_size === undefined ? {} : { batch_size: turn === 0 ? Math.ceil(batch_size / 2) : Math.floor(batch_size / 2) }),
      prompts: indices.map((i) => prompts[i] as (typeof prompts)[number]),
      ...change,
    },
    prompts: indices,
  });
  const all = prompts.map((_, i) => i);
  if (prompts.length % 2 === 1 && prompts.length < MANY_PROMPTS && n > 1) {
    const half = Math.ceil(n / 2);
    return [part(0, { n: half }, all), part(1, { n: n - half, firstSample: (request.firstSample ?? 0) + half }, all)];
  }
  return [
    part(
      0,
      {},
      all.filter((i) => i % 2 === 0),
    ),
    part(
      1,
      {},
      all.filter((i) => i % 2 === 1),
    ),
  ];
}

/** Events of both parts as they come; `own` computes this thread's. Errors: those of either thread; the signal's reason. */
export async function* generateOnTwo(
  [mine, theirs]: [RequestPart, RequestPart],
  own: (request: GenerateRequest) => AsyncIterable<GenerateEvent>,
  replica: Replica,
): AsyncGenerator<GenerateEvent, void, void> {
  const { signal } = mine.request;
  const named = (part: RequestPart, event: GenerateEvent): GenerateEvent => ({ ...event, prompt: part.prompts[event.prompt] as number });
  let arrived: GenerateEvent[] = [];
  let over = false;
  let wake = (): void => {};
  const take = (): GenerateEvent[] => {
    const taken = arrived;
    arrived = [];
    return taken;
  };
  const away = replica.generate(theirs.request, (events) => {
    for (const event of events) arrived.push(named(theirs, event));
    wake();
  });
  away.settled.then(() => {
    over = true;
    wake();
  });
  const stop = (): void => {
    away.stop();
    wake();
  };
  signal?.addEventListener('abort', stop);
  try {
    for await (const event of own(mine.request)) {
      yield named(mine, event);
      // The other thread's messages arrive while this thread's computation lets the process breathe.
      for (const other of take()) {
        signal?.throwIfAborted();
        yield other;
      }
      if (over) await away.result;
    }
    while (!over || arrived.length > 0) {
      signal?.throwIfAborted();
      if (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      for (const other of take()) {
        signal?.throwIfAborted();
        yield other;
      }
    }
    signal?.throwIfAborted();
    await away.result;
  } finally {
    signal?.removeEventListener('abort', stop);
    away.stop();
    await away.settled;
  }
}
