/** What becomes of connections when the computer wakes. */
import { expect, test } from 'vitest';
import { afterSleep } from '../../main/machine/after-sleep.ts';
import type { MachineConnection } from '../../main/machine/machine.ts';
import type { ConnectionState } from '../../shared/machine-connection.ts';

function fake(state: ConnectionState): { connection: MachineConnection; asked: string[] } {
  const asked: string[] = [];
  const connection: MachineConnection = {
    state,
    subscribe: () => () => undefined,
    connect: async () => void asked.push('connect'),
    retry: () => void asked.push('retry'),
    probe: async (ms) => {
      asked.push(`probe ${ms}`);
      return true;
    },
  };
  return { connection, asked };
}

test.each<[ConnectionState, string[]]>([
  // Bug: a session that survived the sleep is torn down, and with it what it was carrying.
  [{ state: 'connected', since: '2026-01-01T00:00:00Z' }, ['probe 5000']],
  // Bug: half a minute of backoff is sat out although the network is back.
  [{ state: 'waiting', attempt: 8, next_try: '2026-01-01T00:00:30Z', lost_since: null, why: 'no route' }, ['retry']],
  // Bug: a machine whose host key is in question is asked again by itself.
  [{ state: 'refused', reason: 'host_key', message: 'another key', offered: null }, []],
  [{ state: 'idle' }, []],
])('%o', async (state, expected) => {
  const { connection, asked } = fake(state);
  await afterSleep(connection);
  expect(asked).toEqual(expected);
});
