/** Keeping a connection: when it is tried again, when not, and that nothing old has a say. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MachineError } from '../../main/machine/machine.ts';
import { BACKOFF_S, Reconnector } from '../../main/machine/ssh/reconnector.ts';
import { RefusedError } from '../../main/machine/ssh/refused-error.ts';
import type { ConnectionState } from '../../shared/machine-connection.ts';

class FakeLink {
  ended: string | undefined;
  private readonly watchers: ((why: MachineError) => void)[] = [];
  onLost(watcher: (why: MachineError) => void): () => void {
    this.watchers.push(watcher);
    return () => undefined;
  }
  end(why = 'ended'): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    for (const watcher of this.watchers) watcher(new MachineError('lost', why));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Each entry is what an attempt comes to, the last one for good. */
function scripted(outcomes: ('ok' | Error)[]) {
  const links: FakeLink[] = [];
  const times: number[] = [];
  const begun = Date.now();
  const reconnector = new Reconnector<FakeLink>({
    name: 'm',
    waitMs: 200_000,
    async open() {
      times.push((Date.now() - begun) / 1000);
      const outcome = outcomes[Math.min(times.length, outcomes.length) - 1];
      if (outcome !== 'ok') throw outcome;
      const link = new FakeLink();
      links.push(link);
      return link;
    },
  });
  const states: ConnectionState['state'][] = [];
  reconnector.subscribe(({ state }) => void states.push(state));
  return { reconnector, links, times, states };
}

describe('a connection', () => {
  test('is made when it is first needed, once for all that wait', async () => {
    const { reconnector, times } = scripted(['ok']);
    expect(reconnector.state).toEqual({ state: 'idle' });
    const [a, b] = await Promise.all([reconnector.link(), reconnector.link()]);
    expect(a).toBe(b);
    expect(times).toEqual([0]);
  });

  test('is tried again after 1, 2, 5, 5, 10, 10, 10, 30, 30 … s', async () => {
    const { reconnector, times } = scripted([new MachineError('lost', 'no network')]);
    const asked = reconnector.link();
    asked.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(140_000);
    expect(times).toEqual([0, 1, 3, 8, 13, 23, 33, 43, 73, 103, 133]);
    expect(BACKOFF_S.at(-1)).toBe(30);
    expect(reconnector.state).toMatchObject({ state: 'waiting', attempt: 12, why: 'no network', lost_since: null });
    await vi.advanceTimersByTimeAsync(70_000);
    await expect(asked).rejects.toMatchObject({ kind: 'lost', message: expect.stringContaining('no network') });
    reconnector.close();
  });

  test('that was lost comes back, and says since when', async () => {
    const { reconnector, links, states, times } = scripted(['ok', new MachineError('lost', 'no'), 'ok']);
    await reconnector.link();
    links[0]?.end('cable');
    expect(reconnector.state).toMatchObject({ state: 'waiting', attempt: 1, why: 'cable', lost_since: expect.any(String) });
    const waiting = reconnector.link();
    await vi.advanceTimersByTimeAsync(3000);
    expect(await waiting).toBe(links[1]);
    expect(times).toEqual([0, 1, 3]);
    expect(states).toEqual(['connecting', 'connected', 'waiting', 'connecting', 'waiting', 'connecting', 'connected']);
  });

  test.each(['authentication', 'host_key', 'configuration'] as const)(
    'refused for %s is not tried again until the user asks',
    async (reason) => {
      const { reconnector, times } = scripted([new RefusedError(reason, 'no', 'SHA256:x'), 'ok']);
      await expect(reconnector.link()).rejects.toMatchObject({ kind: 'refused', reason, offered: 'SHA256:x' });
      await vi.advanceTimersByTimeAsync(1_000_000);
      expect(times).toHaveLength(1);
      await expect(reconnector.link()).rejects.toMatchObject({ kind: 'refused' });
      reconnector.retry();
      await vi.advanceTimersByTimeAsync(0);
      expect(reconnector.state.state).toBe('connected');
    },
  );

  test('can be asked for at once while it waits', async () => {
    const { reconnector, times } = scripted([new MachineError('lost', 'no'), 'ok']);
    const asked = reconnector.link();
    await vi.advanceTimersByTimeAsync(10);
    reconnector.retry();
    await asked;
    expect(times).toEqual([0, 0.01]);
  });

  test('of an earlier attempt has no say (bug: a stale client takes the place of the new one, or ends it)', async () => {
    const opened: PromiseWithResolvers<FakeLink>[] = [];
    const reconnector = new Reconnector<FakeLink>({
      name: 'm',
      open() {
        const one = Promise.withResolvers<FakeLink>();
        opened.push(one);
        return one.promise;
      },
    });
    const first = reconnector.link();
    const second = reconnector.connect();
    const [stale, current] = [new FakeLink(), new FakeLink()];
    opened[1]?.resolve(current);
    await second;
    opened[0]?.resolve(stale);
    expect(await first).toBe(current);
    await vi.advanceTimersByTimeAsync(0);
    expect(stale.ended).toBeDefined();
    expect(await reconnector.link()).toBe(current);
    expect(reconnector.state.state).toBe('connected');
  });

  test('that is closed stays so: no further attempt, and who waits is told', async () => {
    const { reconnector, times } = scripted([new MachineError('lost', 'no')]);
    const asked = reconnector.link();
    asked.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10);
    reconnector.close();
    await expect(asked).rejects.toMatchObject({ kind: 'lost' });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(times).toHaveLength(1);
    await expect(reconnector.link()).rejects.toMatchObject({ kind: 'lost' });
  });

  test('asked for once fails once, with its reason', async () => {
    const { reconnector, times } = scripted([new MachineError('lost', 'ECONNREFUSED')]);
    await expect(reconnector.connect()).rejects.toThrow('ECONNREFUSED');
    await vi.advanceTimersByTimeAsync(100_000);
    expect(times).toHaveLength(1);
    expect(reconnector.state).toEqual({ state: 'idle' });
  });
});
