/** The browser shell's port: a WebSocket to the server that the page came from, opened again when it is lost. */
import type { Port, ServerFrame } from '../../shared/rpc/channel.ts';

/** Seconds between two tries; the last one holds. */
const BACKOFF = [0.5, 1, 2, 5, 10];

export function webSocketPort(): Port {
  const url = new URL('rpc', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  const frames = new Set<(frame: unknown) => void>();
  const states = new Set<(connected: boolean) => void>();
  let socket: WebSocket | null = null;
  let failures = 0;

  const tell = (connected: boolean): void => {
    for (const listener of states) listener(connected);
  };
  const open = (): void => {
    const opened = new WebSocket(url);
    opened.onopen = () => {
      socket = opened;
      failures = 0;
      tell(true);
    };
    opened.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      for (const listener of frames) listener(frame);
    };
    opened.onclose = () => {
      if (socket === opened) {
        socket = null;
        tell(false);
      }
      setTimeout(open, 1000 * (BACKOFF[Math.min(failures, BACKOFF.length - 1)] as number));
      failures++;
    };
  };
  open();

  return {
    send: (frame) => socket?.send(JSON.stringify(frame)),
    onFrame: (listener) => {
      frames.add(listener);
    },
    onConnected: (listener) => {
      states.add(listener);
      if (socket !== null) listener(true);
    },
    giveFile: async (file) => {
      const answer = await fetch(`files?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file });
      return answer.json();
    },
  };
}
