/** A route's answer as state: kept while a later question fails, asked again when its input changes or on request. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { RouteName, RouteOutput, RouteRequest } from '../../shared/rpc/contract.ts';
import { CallFailed, call, watchConnection } from './client.ts';

export interface Query<T> {
  /** The last answer to this input, else to the one before (`stale`); null before the first. */
  data: T | null;
  /** `data` answers an earlier input, or is being asked again. */
  stale: boolean;
  /** When `data` came, milliseconds since 1970; null before the first. */
  at: number | null;
  /** Why the last question failed; null when it did not. */
  error: CallFailed | null;
  refresh(): void;
}

export interface QueryOptions {
  /** Asks again so many milliseconds after each answer while the window can be seen. */
  everyMs?: number;
  /** False asks nothing. @default true */
  enabled?: boolean;
}

const asFailure = (thrown: unknown): CallFailed =>
  thrown instanceof CallFailed
    ? thrown
    : new CallFailed({ code: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) });

/** The answer of `route` to `input` (compared by its JSON). Answers to earlier inputs that come late are dropped. */
export function useQuery<R extends RouteName>(
  route: R,
  input: RouteRequest<R>,
  { everyMs, enabled = true }: QueryOptions = {},
): Query<RouteOutput<R>> {
  const key = JSON.stringify(input);
  const [answer, setAnswer] = useState<{ key: string | null; data: RouteOutput<R> | null; at: number | null; error: CallFailed | null }>({
    key: null,
    data: null,
    at: null,
    error: null,
  });
  const [asked, setAsked] = useState(0);
  const refresh = useCallback(() => setAsked((count) => count + 1), []);
  const latest = useRef(input);
  latest.current = input;

  useEffect(() => {
    if (!enabled) return;
    const wanted = new AbortController();
    let over = false;
    let lost = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      if (!document.hidden || everyMs === undefined) {
        try {
          const data = await call(route, latest.current, wanted.signal);
          if (!over) setAnswer({ key, data, at: Date.now(), error: null });
        } catch (thrown) {
          lost = thrown instanceof CallFailed && thrown.code === 'lost';
          if (!over) setAnswer((before) => ({ ...before, error: asFailure(thrown) }));
        }
      }
      if (!over && everyMs !== undefined) timer = setTimeout(ask, everyMs);
    };
    void ask();
    const unwatch = watchConnection((connected) => {
      if (connected && lost && everyMs === undefined) void ask();
    });
    return () => {
      over = true;
      wanted.abort();
      clearTimeout(timer);
      unwatch();
    };
  }, [route, key, asked, everyMs, enabled]);

  return { data: answer.data, stale: answer.key !== key, at: answer.at, error: answer.error, refresh };
}
