/** The line between the window and the services, without Electron. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../main/rpc/connection.ts';
import { createRouter, type Handlers, type Router, type Sources } from '../../main/rpc/router.ts';
import { createHandlers, createSources, createWorkbenchRouter } from '../../main/rpc/workbench-router.ts';
import { contentSecurityPolicy, mediaType } from '../../main/shell/page.ts';
import { assetPath, mayCall, WINDOW_URL } from '../../main/shell/window-origin.ts';
import { GivenFiles } from '../../main/workbench/given-files.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { InputError } from '../../shared/input-error.ts';
import type { ServerFrame } from '../../shared/rpc/channel.ts';
import { isRoute, replySchema, routes } from '../../shared/rpc/contract.ts';
import type { RunList } from '../../shared/run-view.ts';
import { progressInWords, shareDone, stateInWords, verdictOfRun } from '../../shared/run-words.ts';

const services = { version: '1.2.3', runsDir: '/nowhere', files: new GivenFiles(), runner: new RunnerService() };
const routerWith = (over: Partial<Handlers> = {}, sources: Partial<Sources> = {}): Router =>
  createRouter({ ...createHandlers(services), ...over }, { ...createSources(services), ...sources });

describe('the router', () => {
  test('answers with data that fits the contract', async () => {
    const reply = await routerWith().call('app.about', {});
    expect(replySchema(routes['app.about'].output).parse(reply)).toMatchObject({
      ok: true,
      data: { version: '1.2.3', runs_dir: '/nowhere' },
    });
  });

  test.each(['runs.delete', 'toString', '__proto__', 42, null])('a route that is none is an answer, not a crash: %s', async (route) => {
    expect(isRoute(route)).toBe(false);
    expect(await routerWith().call(route, {})).toMatchObject({ ok: false, error: { code: 'input' } });
  });

  test.each([[{ run: '../../etc' }], [{ run: 'a\\b' }], [{ run: 5 }], [{}], [null], [{ run: 'a', more: 1 }]])(
    'input is checked before the handler sees it (a window that could name paths could read any folder): %j',
    async (input) => {
      let reached = false;
      const router = routerWith({
        'runs.show': async () => {
          reached = true;
          throw new Error('reached');
        },
      });
      expect(await router.call('runs.show', input)).toMatchObject({ ok: false, error: { code: 'input' } });
      expect(reached).toBe(false);
    },
  );

  test('what a handler throws becomes an error with its message, and tells input from failure', async () => {
    const failing = (error: Error) =>
      routerWith({
        'runs.list': async () => {
          throw error;
        },
      }).call('runs.list', {});
    expect(await failing(new InputError('no such run', 'run'))).toEqual({
      ok: false,
      error: { code: 'input', message: 'no such run', field: 'run' },
    });
    expect(await failing(new Error('EACCES'))).toEqual({ ok: false, error: { code: 'failed', message: 'EACCES' } });
  });

  test('the handlers read a real runs folder', async () => {
    const runsDir = await mkdtemp(join(tmpdir(), 'runs-'));
    try {
      const router = createWorkbenchRouter({ ...services, runsDir });
      expect(replySchema(routes['runs.list'].output).parse(await router.call('runs.list', {}))).toEqual({
        ok: true,
        data: { runs_dir: runsDir, runs: [], unreadable: [] },
      });
      expect(await router.call('runs.show', { run: 'nope' })).toMatchObject({ ok: false, error: { code: 'input', field: 'run' } });
    } finally {
      await rm(runsDir, { recursive: true });
    }
  });
});

const list = (runs_dir: string): RunList => ({ runs_dir, runs: [], unreadable: [] });

/** Lets everything that is ready happen. */
const settle = () => new Promise((done) => setImmediate(done));

describe('a connection', () => {
  async function* forever(_: unknown, signal: AbortSignal): AsyncGenerator<RunList> {
    for (let count = 0; !signal.aborted; count++) {
      yield list(String(count));
      await settle();
    }
  }
  const open = (sources: Partial<Sources>, handlers: Partial<Handlers> = {}) => {
    const sent: ServerFrame[] = [];
    return { sent, connection: openConnection(routerWith(handlers, sources), (frame) => sent.push(frame)) };
  };

  test('keeps subscriptions apart by number, and ends the one that is cancelled', async () => {
    const { sent, connection } = open({ 'runs.watch': forever });
    connection.receive({ id: 1, kind: 'subscribe', topic: 'runs.watch', input: {} });
    connection.receive({ id: 2, kind: 'subscribe', topic: 'runs.watch', input: {} });
    await settle();
    connection.receive({ id: 1, kind: 'cancel' });
    await settle();
    const before = sent.filter(({ id }) => id === 1).length;
    for (let turn = 0; turn < 5; turn++) await settle();
    expect(before).toBeGreaterThan(0);
    expect(sent.filter(({ id }) => id === 1)).toHaveLength(before);
    expect(sent.filter(({ id }) => id === 2).length).toBeGreaterThan(before);
    connection.close();
  });

  test('a window that goes away leaves nothing running behind it', async () => {
    let ended = false;
    const { sent, connection } = open({
      'runs.watch': async function* (input, signal) {
        yield* forever(input, signal);
        ended = true;
      },
    });
    connection.receive({ id: 1, kind: 'subscribe', topic: 'runs.watch', input: {} });
    await settle();
    connection.close();
    const before = sent.length;
    for (let turn = 0; turn < 5; turn++) await settle();
    expect(ended).toBe(true);
    expect(sent).toHaveLength(before);
  });

  test('a question that is not waited for any more is told to who works on it, and gets no answer', async () => {
    const signals: AbortSignal[] = [];
    const working: Partial<Handlers> = {
      'runs.list': (_, signal) =>
        new Promise((done) => {
          signals.push(signal);
          signal.addEventListener('abort', () => done(list('late')));
        }),
    };
    const { sent, connection } = open({}, working);
    for (const id of [1, 2, 3]) connection.receive({ id, kind: 'call', route: 'runs.list', input: {} });
    connection.receive({ id: 1, kind: 'cancel' });
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
    connection.close();
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(sent).toEqual([]);
  });

  test('says why a subscription ended, and that an unknown one cannot begin', async () => {
    const { sent, connection } = open({
      // biome-ignore lint/correctness/useYield: it fails before its first item
      'runs.watch': async function* () {
        throw new Error('EACCES');
      },
    });
    connection.receive({ id: 1, kind: 'subscribe', topic: 'runs.watch', input: {} });
    connection.receive({ id: 2, kind: 'subscribe', topic: 'toString', input: {} });
    await settle();
    await settle();
    expect(sent).toContainEqual({ id: 1, kind: 'end', error: { code: 'failed', message: 'EACCES' } });
    expect(sent).toContainEqual({ id: 2, kind: 'end', error: { code: 'input', message: 'unknown topic "toString"' } });
  });

  test.each([null, 'text', {}, { id: 'a', kind: 'call', route: 'app.about' }, { id: 1, kind: 'eval', code: '1' }])(
    'refuses what is no frame: %j',
    (frame) => {
      expect(open({}).connection.receive(frame)).toBe(false);
    },
  );
});

describe('the window’s files', () => {
  test('its own pages are served', () => {
    expect(assetPath(WINDOW_URL, '/app/renderer')).toBe(join('/app/renderer', 'index.html'));
    expect(assetPath('workbench://app/', '/app/renderer')).toBe(join('/app/renderer', 'index.html'));
    expect(assetPath('workbench://app/assets/a.js?v=1#x', '/app/renderer')).toBe(join('/app/renderer', 'assets/a.js'));
  });

  test.each([
    'workbench://app/%2e%2e%2f%2e%2e%2fetc/passwd',
    'workbench://app/..%2fmain/desktop.js',
    'workbench://app/a%5c..%5c..%5csecret',
    'workbench://app/%00',
    'workbench://app/%E0%A4%A',
    'workbench://elsewhere/index.html',
    'file:///etc/passwd',
    'not a url',
  ])('nothing outside the folder is: %s', (url) => {
    expect(assetPath(url, '/app/renderer')).toBeNull();
  });

  test('only kinds of file that the window uses', () => {
    expect(mediaType('a/b.js')).toMatch('javascript');
    expect(mediaType('a/b.json')).toBeNull();
  });

  test('the policy lets no script of another origin, inline or eval run', () => {
    const policy = contentSecurityPolicy('n');
    expect(policy).toContain("default-src 'none'");
    // One style attribute by its hash: the plotting library's bold.
    expect(policy.replace(/style-src-attr 'unsafe-hashes' 'sha256-[\w+/=]+';/, '')).not.toMatch(/unsafe|https?:|\*/);
  });
});

describe('who may call', () => {
  test('the window’s own page', () => {
    expect(mayCall({ url: WINDOW_URL, topLevel: true }, undefined)).toBe(true);
    expect(mayCall({ url: 'http://localhost:5173/index.html', topLevel: true }, 'http://localhost:5173')).toBe(true);
  });

  test.each([
    [{ url: WINDOW_URL, topLevel: false }, undefined],
    [{ url: null, topLevel: true }, undefined],
    [{ url: 'workbench://elsewhere/index.html', topLevel: true }, undefined],
    [{ url: 'https://example.org', topLevel: true }, undefined],
    [{ url: 'http://localhost:5173/', topLevel: true }, undefined],
    [{ url: 'http://localhost:5173.example.org/', topLevel: true }, 'http://localhost:5173'],
    [{ url: 'about:blank', topLevel: true }, 'http://localhost:5173'],
  ])('nobody else: %j', (caller, development) => {
    expect(mayCall(caller, development)).toBe(false);
  });
});

describe('a run in words', () => {
  const exited = (code: number) =>
    ({ state: 'exited', evidence: '', exit: { code, signal: null, reason: 'out of memory', time: '' } }) as const;
  test('a run that exited is done only with code 0, and one out of sight has not failed', () => {
    expect(verdictOfRun(exited(0))).toBe('done');
    expect(verdictOfRun(exited(1))).toBe('failed');
    expect(stateInWords(exited(1))).toBe('ended: out of memory');
    expect(stateInWords({ state: 'exited', evidence: 'killed: its process is gone', exit: null })).toBe('killed');
    expect(stateInWords({ state: 'exited', evidence: 'exit.json cannot be read', exit: null })).toBe('ended');
    expect(verdictOfRun({ state: 'unverifiable', evidence: '', age_seconds: 400 })).toBe('unverifiable');
    expect(stateInWords({ state: 'unverifiable', evidence: '', age_seconds: 400 })).toBe('not seen for 7 min');
  });

  test('progress counts steps where there are some, else what is being done', () => {
    const none = { step: null, total_steps: null, what: null, done: null, total: null, seconds_left: null };
    expect([shareDone(none), progressInWords(none)]).toEqual([null, 'not started']);
    const training = { ...none, step: 14, total_steps: 56, what: 'validation', done: 64, total: 64 };
    expect([shareDone(training), progressInWords(training)]).toEqual([0.25, 'step 14 of 56']);
    const evaluating = { ...none, what: 'evaluating', done: 250, total: 500 };
    expect([shareDone(evaluating), progressInWords(evaluating)]).toEqual([0.5, 'evaluating: 250 of 500']);
    expect(shareDone({ ...none, step: 5, total_steps: null, done: 1, total: 0 })).toBeNull();
  });
});
