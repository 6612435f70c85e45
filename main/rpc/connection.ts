/** One window's connection over any transport that carries frames: calls and subscriptions, kept apart by number and ended with it. */
import { z } from 'zod';
import type { ServerFrame } from '../../shared/rpc/channel.ts';
import type { Router } from './router.ts';

const Frame = z.discriminatedUnion('kind', [
  z.strictObject({ id: z.number().int(), kind: z.literal('call'), route: z.string(), input: z.unknown() }),
  z.strictObject({ id: z.number().int(), kind: z.literal('subscribe'), topic: z.string(), input: z.unknown() }),
  z.strictObject({ id: z.number().int(), kind: z.literal('cancel') }),
]);

export interface Connection {
  /** Takes a frame as it came. False: it is no frame, and the transport should close. */
  receive(frame: unknown): boolean;
  /** Ends every subscription; nobody waits for the answers of its calls any more. */
  close(): void;
}

/** `send` may throw once the other side has gone; nothing is sent after `close`. */
export function openConnection(router: Router, send: (frame: ServerFrame) => void): Connection {
  const open = new Map<number, AbortController>();
  let closed = false;
  const say = (frame: ServerFrame): void => {
    if (!closed) send(frame);
  };
  return {
    receive(value) {
      const parsed = Frame.safeParse(value);
      if (!parsed.success) return false;
      const frame = parsed.data;
      if (frame.kind === 'call') {
        if (open.has(frame.id)) return true;
        const controller = new AbortController();
        open.set(frame.id, controller);
        void router.call(frame.route, frame.input, controller.signal).then((reply) => {
          open.delete(frame.id);
          if (!controller.signal.aborted) say({ id: frame.id, kind: 'reply', reply });
        });
      } else if (frame.kind === 'cancel') {
        open.get(frame.id)?.abort();
        open.delete(frame.id);
      } else if (!open.has(frame.id)) {
        const controller = new AbortController();
        open.set(frame.id, controller);
        const onItem = (item: unknown): void => say({ id: frame.id, kind: 'item', item });
        void router.follow(frame.topic, frame.input, onItem, controller.signal).then((error) => {
          open.delete(frame.id);
          if (!controller.signal.aborted) say({ id: frame.id, kind: 'end', error });
        });
      }
      return true;
    },
    close() {
      closed = true;
      for (const controller of open.values()) controller.abort();
      open.clear();
    },
  };
}
