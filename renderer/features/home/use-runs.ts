/** The runs folder, asked again every two seconds while the window can be seen. */
import { useCallback, useEffect, useState } from 'react';
import type { RunList } from '../../../shared/run-view.ts';
import { call } from '../../rpc/client.ts';

const EVERY_MS = 2000;

export interface Runs {
  /** The last answer; kept when a later question fails. Null before the first. */
  list: RunList | null;
  /** When it came, milliseconds; null before the first. */
  at: number | null;
  /** Why the last question failed; null when it did not. */
  error: string | null;
  refresh(): void;
}

export function useRuns(): Runs {
  const [answer, setAnswer] = useState<Pick<Runs, 'list' | 'at' | 'error'>>({ list: null, at: null, error: null });
  const [asked, setAsked] = useState(0);
  const refresh = useCallback(() => setAsked((count) => count + 1), []);

  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      if (!document.hidden) {
        try {
          const list = await call('runs.list', {});
          if (!over) setAnswer({ list, at: Date.now(), error: null });
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown.message : String(thrown);
          if (!over) setAnswer((before) => ({ ...before, error }));
        }
      }
      if (!over) timer = setTimeout(ask, EVERY_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [asked]);

  return { ...answer, refresh };
}
