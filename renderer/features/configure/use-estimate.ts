/** The estimate of a config: asked for, stopped, and known to be of the settings that it was asked for. */
import { useEffect, useRef, useState } from 'react';
import type { DryRun } from '../../../shared/dry-run.ts';
import type { JsonObject } from '../../../shared/json-object.ts';
import { type CallFailed, follow } from '../../rpc/client.ts';

export interface Estimate {
  running: boolean;
  /** The last one, and the config that it is of. */
  result: { config: string; dryRun: DryRun } | null;
  error: CallFailed | null;
  /** `elsewhere`: the run is to be carried out on another machine. */
  begin(config: JsonObject, elsewhere: boolean): void;
  stop(): void;
}

export function useEstimate(): Estimate {
  const [running, setRunning] = useState(false);
  const [result, setResult] = useState<Estimate['result']>(null);
  const [error, setError] = useState<CallFailed | null>(null);
  const cancel = useRef<() => void>(() => undefined);
  useEffect(() => () => cancel.current(), []);
  return {
    running,
    result,
    error,
    begin: (settings, elsewhere) => {
      cancel.current();
      const config = JSON.stringify(settings);
      setRunning(true);
      setError(null);
      cancel.current = follow(
        'configure.estimate',
        { config: settings, elsewhere },
        (dryRun) => setResult({ config, dryRun }),
        (failed) => {
          setRunning(false);
          setError(failed);
        },
      );
    },
    stop: () => {
      cancel.current();
      setRunning(false);
    },
  };
}
