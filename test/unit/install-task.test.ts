/** The install that the window follows: it goes on whoever watches, is told from its beginning, and stops when asked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { InstallOptions } from '../../main/workbench/tensorflow/install.ts';
import { InstallTask } from '../../main/workbench/tensorflow/install-task.ts';
import { type InstallEvent, TENSORFLOW_FOLDER, type TensorflowInstall } from '../../shared/tensorflow-install.ts';

const home = mkdtempSync(join(tmpdir(), 'mlt-install-'));
vi.stubEnv('MEDLOGICTRACE_HOME', home);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});
const record: TensorflowInstall = { tensorflow: '2.21.0', kind: 'cpu', platform: 'linux', arch: 'x64', addon: '4', bytes: 5, time: 'now' };
const never = new AbortController().signal;
const all = async (events: AsyncIterable<InstallEvent>): Promise<InstallEvent[]> => {
  const found: InstallEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
};

describe('an install from the window', () => {
  test('is joined by who comes later, and told whole; of progress the last word', async () => {
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const task = new InstallTask(async ({ onStep, onProgress }: InstallOptions) => {
      begun++;
      onStep?.('fetching');
      for (const bytes of [1, 2, 3]) onProgress?.('wheel', bytes, 10);
      await gate.promise;
      onStep?.('compiling');
      return record;
    });
    const first = all(task.follow('cpu', never));
    const left = new AbortController();
    const second = task.follow('cpu', left.signal);
    expect((await second.next()).value).toEqual({ type: 'step', text: 'fetching' });
    expect((await second.next()).value).toEqual({ type: 'progress', what: 'wheel', bytes: 3, total: 10 });
    left.abort();
    await second.return(undefined);
    expect((await task.state()).installing).toBe('cpu');
    await expect(task.uninstall()).rejects.toThrow('an install goes on');
    await expect(all(task.follow('cuda', never))).rejects.toThrow('for cpu goes on');
    gate.resolve();
    const told = await first;
    expect(told.map(({ type }) => type)).toEqual(['step', 'progress', 'step', 'done']);
    expect(begun).toBe(1);
    expect((await task.state()).installing).toBeNull();
  });

  test('ends when it is stopped, and says that it goes on from there', async () => {
    const task = new InstallTask(
      ({ signal }) => new Promise((_, fail) => signal?.addEventListener('abort', () => fail(signal.reason), { once: true })),
    );
    const following = all(task.follow('cpu', never));
    await vi.waitFor(async () => expect((await task.state()).installing).toBe('cpu'));
    expect(task.stop()).toBe(true);
    await expect(following).rejects.toThrow('goes on from there');
    expect(task.stop()).toBe(false);
  });

  test('says what is there and what an uninstall frees', async () => {
    const folder = join(home, TENSORFLOW_FOLDER);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'install.json'), JSON.stringify(record));
    const task = new InstallTask();
    const { installed, bytes } = await task.state();
    expect(installed).toEqual(record);
    expect(bytes).toBe(JSON.stringify(record).length);
    expect(await task.uninstall()).toBe(bytes);
    expect(await task.state()).toMatchObject({ installed: null, bytes: 0 });
  });
});
