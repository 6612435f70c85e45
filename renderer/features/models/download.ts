/** The download under way. It outlives the view: to look at something else does not stop it. */
import { create } from 'zustand';
import type { DownloadDone, DownloadEvent } from '../../../shared/hub-model.ts';
import { type CallFailed, follow } from '../../rpc/client.ts';

export type DownloadProgress = Extract<DownloadEvent, { type: 'progress' }>;

export interface Download {
  state: 'none' | 'running' | 'done' | 'stopped' | 'failed';
  name: string;
  progress: DownloadProgress | null;
  /** Why nothing comes at the moment. */
  waiting: string | null;
  done: DownloadDone | null;
  error: CallFailed | null;
  /** When the first bytes were told, by the page's clock in milliseconds, and how many there were. */
  since: { at: number; bytes: number } | null;
}

const NONE: Download = { state: 'none', name: '', progress: null, waiting: null, done: null, error: null, since: null };
export const useDownload = create<Download>(() => NONE);

let end: (() => void) | null = null;

export function startDownload(name: string): void {
  end?.();
  useDownload.setState({ ...NONE, state: 'running', name });
  end = follow(
    'models.download',
    { name },
    (event) => {
      if (event.type === 'waiting') useDownload.setState({ waiting: `${event.why}; trying again in ${Math.ceil(event.seconds)} s` });
      else if (event.type === 'done') useDownload.setState({ state: 'done', done: event, waiting: null });
      else {
        const { since } = useDownload.getState();
        useDownload.setState({ progress: event, waiting: null, since: since ?? { at: performance.now(), bytes: event.bytes_done } });
      }
    },
    (error) => {
      end = null;
      if (error !== null) useDownload.setState({ state: 'failed', error, waiting: null });
    },
  );
}

export function stopDownload(): void {
  end?.();
  end = null;
  useDownload.setState({ state: 'stopped', waiting: null });
}

/** Seconds that are left at the mean speed so far; null while there is none. */
export function secondsLeft({ progress, since }: Download, now: number): number | null {
  if (progress === null || since === null) return null;
  const [come, seconds] = [progress.bytes_done - since.bytes, (now - since.at) / 1000];
  return come <= 0 || seconds < 1 ? null : ((progress.bytes - progress.bytes_done) * seconds) / come;
}
