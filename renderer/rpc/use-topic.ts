/** Follows a topic for as long as a component stands, and takes it up again when the connection comes back. */
import { useEffect, useRef, useState } from 'react';
import type { TopicItem, TopicName, TopicRequest } from '../../shared/rpc/contract.ts';
import { type CallFailed, follow, isConnected, watchConnection } from './client.ts';

export interface Topic {
  /** Why it ended; null while it goes on or where it ended well. */
  error: CallFailed | null;
  ended: boolean;
}

/**
 * Hands items of `topic` to `onItem`. `input` is a function, asked anew at every connection, so that a tail can go on from where it was;
 * `key` names the subject: a change starts anew.
 */
export function useTopic<T extends TopicName>(
  topic: T,
  key: string,
  input: () => TopicRequest<T>,
  onItem: (item: TopicItem<T>) => void,
): Topic {
  const [state, setState] = useState<Topic>({ error: null, ended: false });
  const handlers = useRef({ input, onItem });
  handlers.current = { input, onItem };

  useEffect(() => {
    let stop = (): void => {};
    let over = false;
    let running = false;
    const start = (): void => {
      running = true;
      setState({ error: null, ended: false });
      stop = follow(
        topic,
        handlers.current.input(),
        (item) => handlers.current.onItem(item),
        (error) => {
          running = false;
          if (!over) setState({ error, ended: error?.code !== 'lost' });
        },
      );
    };
    if (isConnected()) start();
    const unwatch = watchConnection((connected) => {
      if (connected && !running) start();
    });
    return () => {
      over = true;
      unwatch();
      stop();
    };
  }, [topic, key]);
  return state;
}
