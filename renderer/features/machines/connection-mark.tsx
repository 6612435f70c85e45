/** How this window stands with a machine: a sign, a colour, words. Losing sight of it says nothing about what runs there. */
import type { ConnectionState } from '../../../shared/machine-connection.ts';

type Look = { sign: string; tone: 'live' | 'done' | 'failed' | 'unverifiable' | null; text: string };

const clock = (time: string): string => new Date(time).toLocaleTimeString();

export function connectionLook(connection: ConnectionState | null): Look {
  if (connection === null) return { sign: '○', tone: null, text: 'not asked yet' };
  switch (connection.state) {
    case 'idle':
      return { sign: '○', tone: null, text: 'not asked yet' };
    case 'connected':
      return { sign: '●', tone: 'done', text: `connected since ${clock(connection.since)}` };
    case 'connecting':
      return { sign: '◌', tone: 'live', text: connection.attempt === 1 ? 'connecting' : `connecting, attempt ${connection.attempt}` };
    case 'waiting':
      return {
        sign: '?',
        tone: 'unverifiable',
        text: `${connection.lost_since === null ? 'not reached' : `not seen since ${clock(connection.lost_since)}`}; tries again at ${clock(connection.next_try)}`,
      };
    case 'refused':
      return { sign: '✕', tone: 'failed', text: connection.reason === 'host_key' ? 'host key to be looked at' : 'refused' };
    case 'closed':
      return { sign: '○', tone: null, text: 'closed' };
  }
}

export function ConnectionMark({ connection }: { connection: ConnectionState | null }) {
  const { sign, tone, text } = connectionLook(connection);
  return (
    <span className={tone === null ? 'quiet' : `state-${tone}`}>
      <span aria-hidden="true">{sign}</span> {text}
    </span>
  );
}
