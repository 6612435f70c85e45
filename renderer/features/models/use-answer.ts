/** One answer while it is written: started, followed, stopped. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { AnswerResult, AnswerToken } from '../../../shared/model-answer.ts';
import type { TopicRequest } from '../../../shared/rpc/contract.ts';
import { type CallFailed, follow } from '../../rpc/client.ts';

export interface Answer {
  state: 'none' | 'loading' | 'writing' | 'done' | 'stopped' | 'failed';
  /** Tokens of the prompt; null until the model is in memory. */
  promptTokens: number | null;
  /** What the model is computed on. */
  device: string;
  /** What the answer was made to start with. */
  prefix: string;
  tokens: readonly AnswerToken[];
  result: AnswerResult | null;
  error: CallFailed | null;
  /** When the first token came, and the last, by the page's clock in milliseconds. */
  first: number | null;
  last: number | null;
}

const NONE: Answer = {
  state: 'none',
  promptTokens: null,
  device: '',
  prefix: '',
  tokens: [],
  result: null,
  error: null,
  first: null,
  last: null,
};

export interface AnswerControl {
  answer: Answer;
  start: (request: TopicRequest<'models.generate'>) => void;
  stop: () => void;
}

/** Leaving the view stops what is being written. */
export function useAnswer(): AnswerControl {
  const [answer, setAnswer] = useState<Answer>(NONE);
  const end = useRef<(() => void) | null>(null);
  useEffect(() => () => end.current?.(), []);

  const start = useCallback((request: TopicRequest<'models.generate'>) => {
    end.current?.();
    setAnswer({ ...NONE, state: 'loading' });
    end.current = follow(
      'models.generate',
      request,
      (event) => {
        const now = performance.now();
        setAnswer((before) => {
          if (event.type === 'prompt') {
            const { tokens, answer_prefix, device } = event;
            return { ...before, state: 'writing', promptTokens: tokens, prefix: answer_prefix, device };
          }
          if (event.type === 'done') return { ...before, state: 'done', result: event.result };
          return { ...before, tokens: [...before.tokens, ...event.tokens], first: before.first ?? now, last: now };
        });
      },
      (error) => {
        end.current = null;
        if (error !== null) setAnswer((before) => ({ ...before, state: 'failed', error }));
      },
    );
  }, []);

  const stop = useCallback(() => {
    end.current?.();
    end.current = null;
    setAnswer((before) => (before.state === 'done' || before.state === 'failed' ? before : { ...before, state: 'stopped' }));
  }, []);

  return { answer, start, stop };
}
