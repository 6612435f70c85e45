/** A setup under way: its steps, what it prints, and a way to stop it. What was done stays done; another setup goes on from there. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { PlannedStep } from '../../../shared/machine-check.ts';
import type { SetupEvent, SetupReport } from '../../../shared/machine-setup.ts';
import { call, follow, messageOf } from '../../rpc/client.ts';

export interface Setup {
  phase: 'idle' | 'running' | 'done' | 'failed' | 'stopped';
  steps: readonly PlannedStep[];
  running: string | null;
  /** The end of what was printed. */
  output: string;
  progress: { done: number; total: number } | null;
  waiting: string | null;
  report: SetupReport | null;
  error: string | null;
}

const NOTHING: Setup = {
  phase: 'idle',
  steps: [],
  running: null,
  output: '',
  progress: null,
  waiting: null,
  report: null,
  error: null,
};

/** More than anybody reads; pip prints a lot. */
const OUTPUT_KEPT = 200_000;

/** The setup with one more event. Pure. */
export function afterEvent(setup: Setup, event: SetupEvent): Setup {
  switch (event.type) {
    case 'plan':
      return { ...setup, steps: event.steps };
    case 'step': {
      const steps = setup.steps.map((step) =>
        step.name === event.name && event.state === 'done' ? { ...step, state: 'done' as const } : step,
      );
      return { ...setup, steps, running: event.state === 'running' ? event.name : null, progress: null, waiting: null };
    }
    case 'output':
      return { ...setup, output: (setup.output + event.text).slice(-OUTPUT_KEPT), waiting: null };
    case 'progress':
      return { ...setup, progress: { done: event.done, total: event.total }, waiting: null };
    case 'waiting':
      return { ...setup, waiting: event.why };
    case 'report':
      return { ...setup, report: event.report };
  }
}

export function useSetup(machine: string, ended: () => void): Setup & { start: () => void; stop: () => void } {
  const [setup, setSetup] = useState<Setup>(NOTHING);
  const end = useRef<(() => void) | null>(null);
  const tell = useRef(ended);
  tell.current = ended;

  const stop = useCallback(async () => {
    try {
      await call('machines.stop_setup', { machine });
    } catch (thrown) {
      setSetup((before) => ({ ...before, error: messageOf(thrown) }));
      return;
    }
    end.current?.();
    end.current = null;
    setSetup((before) => (before.phase === 'running' ? { ...before, phase: 'stopped', running: null } : before));
    tell.current();
  }, [machine]);
  const start = useCallback(() => {
    end.current?.();
    setSetup({ ...NOTHING, phase: 'running' });
    end.current = follow(
      'machines.setup',
      { machine },
      (event) => setSetup((before) => afterEvent(before, event)),
      (error) => {
        end.current = null;
        setSetup((before) => ({ ...before, phase: error === null ? 'done' : 'failed', running: null, error: error?.message ?? null }));
        tell.current();
      },
    );
  }, [machine]);
  // The view is left: the setup goes on, and "Set up" joins it.
  useEffect(() => () => end.current?.(), []);
  return { ...setup, start, stop: () => void stop() };
}
