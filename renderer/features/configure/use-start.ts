/** Starts the run of a config: one request for one config until its reply has come, however often it is asked. */
import { useRef, useState } from 'react';
import { z } from 'zod';
import type { JsonObject } from '../../../shared/json-object.ts';
import { open } from '../../app/address.ts';
import { CallFailed, call } from '../../rpc/client.ts';
import type { Place } from './use-place.ts';

const KEPT = 'new-run-request';
const Kept = z.object({ config: z.string(), request: z.uuid() });

/** The number under which this config was asked for already, and no reply came; else a new one. A reload keeps it. */
function requestFor(config: string): string {
  try {
    const kept = Kept.parse(JSON.parse(sessionStorage.getItem(KEPT) ?? 'null'));
    if (kept.config === config) return kept.request;
  } catch {
    // None is kept.
  }
  const request = crypto.randomUUID();
  sessionStorage.setItem(KEPT, JSON.stringify({ config, request }));
  return request;
}

export interface Start {
  starting: boolean;
  /** Why the last start failed, and the config that it was of. */
  failure: { error: CallFailed; config: string } | null;
  start(config: JsonObject, place: Place | null): void;
}

export function useStart(): Start {
  const [starting, setStarting] = useState(false);
  const [failure, setFailure] = useState<Start['failure']>(null);
  // A second click comes before the button has been drawn anew.
  const busy = useRef(false);

  const start = async (settings: JsonObject, place: Place | null): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    setStarting(true);
    setFailure(null);
    const config = JSON.stringify(settings);
    try {
      const request = requestFor(JSON.stringify([settings, place]));
      const { run } = await call('configure.start', { config: settings, request, ...(place === null ? {} : { place }) });
      sessionStorage.removeItem(KEPT);
      open(['runs', run]);
    } catch (thrown) {
      const error = thrown instanceof CallFailed ? thrown : new CallFailed({ code: 'failed', message: String(thrown) });
      setFailure({ error, config });
    } finally {
      busy.current = false;
      setStarting(false);
    }
  };
  return { starting, failure, start: (config, place) => void start(config, place) };
}
