/** What is wrong with a draft: by the schema at once, and by the services, who look at the model, the data and the prompts. */
import { useEffect, useMemo, useState } from 'react';
import { type Draft, draftMistakes, sparse } from '../../../shared/config-draft.ts';
import type { DryRun } from '../../../shared/dry-run.ts';
import type { JsonObject } from '../../../shared/json-object.ts';
import type { Mistake } from '../../../shared/parse-input.ts';
import type { CallFailed } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { type Placed, place } from './mistakes.ts';

/** The services are asked once typing rests. */
const PAUSE_MS = 400;

export interface Checked {
  /** What a start sends. */
  config: JsonObject;
  /** Its JSON, to compare. */
  text: string;
  placed: Placed;
  count: number;
  /** What the services found; null before they have answered of these settings. */
  found: DryRun | null;
  checking: boolean;
  /** Why the services could not say. */
  failed: CallFailed | null;
}

/** Beside its field a message need not name it again. */
const asMistake = ({ field = '', message }: CallFailed): Mistake => ({
  field,
  text: message,
  rule: field !== '' && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message,
  unknown: false,
});

/** `told`: what a start was refused for, where it was of these settings. `elsewhere`: the run is to be carried out on another machine. */
export function useChecked(draft: Draft, told: { error: CallFailed; config: string } | null, elsewhere: boolean): Checked {
  const config = useMemo(() => sparse(draft), [draft]);
  const text = useMemo(() => JSON.stringify(config), [config]);
  const mistakes = useMemo(() => draftMistakes(draft), [draft]);
  const [rested, setRested] = useState({ config, text });
  useEffect(() => {
    const timer = setTimeout(() => setRested((before) => (before.text === text ? before : { config, text })), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [config, text]);
  const enabled = mistakes.length === 0 && rested.text === text;
  const [asked, setAsked] = useState<string | null>(null);
  const { data, stale, error } = useQuery('configure.check', { config: rested.config, elsewhere }, { enabled });
  // An error is of the last question; it must not stand beside settings that have changed since.
  useEffect(() => setAsked(error === null ? null : rested.text), [error]);
  const current = asked === text ? error : null;
  const refusal = told !== null && told.config === text && told.error.code === 'input' ? told.error : current;
  const placed = useMemo(
    () => place(draft, mistakes, refusal?.code === 'input' && mistakes.length === 0 ? asMistake(refusal) : null),
    [draft, mistakes, refusal],
  );
  const count = [...placed.at.values()].reduce((sum, each) => sum + each.length, placed.elsewhere.length);
  const found = data !== null && !stale && enabled && current === null ? data : null;
  return {
    config,
    text,
    placed,
    count,
    found,
    checking: mistakes.length === 0 && found === null && current === null,
    failed: current !== null && current.code !== 'input' ? current : null,
  };
}
