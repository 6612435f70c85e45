/** The install of TensorFlow, followed: it goes on when the view is left, and is joined when it is opened again. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { InstallEvent, TensorflowInstall, TensorflowKind } from '../../../shared/tensorflow-install.ts';
import { type CallFailed, follow } from '../../rpc/client.ts';

export interface InstallProgress {
  phase: 'idle' | 'running' | 'done' | 'failed' | 'stopped';
  /** Steps that have begun, the last one under way. */
  steps: readonly string[];
  progress: { what: string; bytes: number; total: number | null } | null;
  done: TensorflowInstall | null;
  error: CallFailed | null;
}

const NOTHING: InstallProgress = { phase: 'idle', steps: [], progress: null, done: null, error: null };

/** The install with one more event. Pure. */
export function afterInstallEvent(before: InstallProgress, event: InstallEvent): InstallProgress {
  if (event.type === 'step') return { ...before, steps: [...before.steps, event.text], progress: null };
  if (event.type === 'progress') return { ...before, progress: { what: event.what, bytes: event.bytes, total: event.total } };
  return { ...before, progress: null, done: event.install };
}

export function useInstall(ended: () => void): InstallProgress & { start: (kind: TensorflowKind) => void; stopped: () => void } {
  const [install, setInstall] = useState<InstallProgress>(NOTHING);
  const end = useRef<(() => void) | null>(null);
  const asked = useRef(false);
  const tell = useRef(ended);
  tell.current = ended;
  useEffect(() => () => end.current?.(), []);
  const start = useCallback((kind: TensorflowKind) => {
    end.current?.();
    asked.current = false;
    setInstall({ ...NOTHING, phase: 'running' });
    end.current = follow(
      'settings.install_tensorflow',
      { kind },
      (event) => setInstall((before) => afterInstallEvent(before, event)),
      (error) => {
        end.current = null;
        const phase = error === null ? 'done' : asked.current ? 'stopped' : 'failed';
        setInstall((before) => ({ ...before, phase, progress: null, error: phase === 'failed' ? error : null }));
        tell.current();
      },
    );
  }, []);
  /** The user has asked for its end: what it then says is no failure. */
  const stopped = useCallback(() => {
    asked.current = true;
  }, []);
  return { ...install, start, stopped };
}
