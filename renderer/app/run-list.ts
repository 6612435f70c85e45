/** The list of runs, followed once for the whole window: the status bar, Home and Runs read it. */
import { useEffect } from 'react';
import { create } from 'zustand';
import type { RunList } from '../../shared/run-view.ts';
import type { CallFailed } from '../rpc/client.ts';
import { useTopic } from '../rpc/use-topic.ts';

interface RunListState {
  list: RunList | null;
  /** When it came. */
  at: number | null;
  error: CallFailed | null;
}

export const useRunList = create<RunListState>(() => ({ list: null, at: null, error: null }));

/** Keeps the list current; mounted once, in the frame. */
export function useFollowRuns(): void {
  const { error } = useTopic(
    'runs.watch',
    'all',
    () => ({}),
    (list) => useRunList.setState({ list, at: Date.now(), error: null }),
  );
  // A lost connection is the banner's to tell, in one place.
  const told = error?.code === 'lost' ? null : error;
  useEffect(() => useRunList.setState({ error: told }), [told]);
}
