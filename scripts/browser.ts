/** A headless Chromium: where it is, how it is started, and pictures of parts of a page through its DevTools protocol. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { findProgram } from './system-packages.ts';

/** Path of a Chromium, MEDLOGICTRACE_CHROMIUM first; null where there is none. */
export const findBrowser = (): string | null =>
  process.env.MEDLOGICTRACE_CHROMIUM || findProgram(['chromium', 'chromium-browser', 'google-chrome']);

/** Flags of a browser that shows a file and asks nothing of a network. */
export const browserFlags = (profile: string): string[] => [
  '--headless',
  // A container's root user cannot start the sandbox; only files of our own making are opened.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--user-data-dir=${profile}`,
];

const Notice = z.object({ method: z.string() });
const Reply = z.object({ id: z.number(), result: z.unknown().optional(), error: z.object({ message: z.string() }).optional() });
const Evaluated = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z.object({ text: z.string() }).optional(),
});

export interface Page {
  /** Value of a JavaScript expression in the page; a promise is awaited. */
  evaluate(expression: string): Promise<unknown>;
  /** A PNG of a rectangle of the page, in CSS pixels from its top left corner, at twice their density. */
  picture(area: { x: number; y: number; width: number; height: number }): Promise<Buffer>;
}

/** The address that a starting browser prints. */
function debuggerAddress(child: ReturnType<typeof spawn>): Promise<URL> {
  return new Promise((found, failed) => {
    let printed = '';
    child.stderr?.on('data', (data: Buffer) => {
      printed += data.toString();
      const match = /DevTools listening on (ws:\S+)/.exec(printed);
      if (match?.[1]) found(new URL(match[1]));
    });
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`the browser ended with code ${code}: ${printed.trim().split('\n').at(-1)}`)));
  });
}

interface Connection {
  call(method: string, params?: object): Promise<unknown>;
  /** The next event of that name. */
  next(event: string): Promise<void>;
}

async function connect(address: URL): Promise<Connection> {
  const targets = z
    .array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }))
    .parse(await (await fetch(`http://${address.host}/json`)).json());
  const target = targets.find(({ type }) => type === 'page');
  if (!target) throw new Error('the browser opened no page');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  const events = new EventTarget();
  const waiting = new Map<number, { found: (value: unknown) => void; failed: (error: Error) => void }>();
  socket.addEventListener('message', ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    const event = Notice.safeParse(message);
    if (event.success) events.dispatchEvent(new Event(event.data.method));
    const reply = Reply.safeParse(message);
    if (!reply.success) return;
    const { id, result, error } = reply.data;
    if (error) waiting.get(id)?.failed(new Error(error.message));
    else waiting.get(id)?.found(result);
    waiting.delete(id);
  });
  await new Promise((opened, failed) => {
    socket.addEventListener('open', opened, { once: true });
    socket.addEventListener('error', () => failed(new Error('the browser refused the connection')), { once: true });
  });
  let last = 0;
  return {
    call: (method, params = {}) =>
      new Promise((found, failed) => {
        waiting.set(++last, { found, failed });
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    next: (event) => new Promise((found) => events.addEventListener(event, () => found(), { once: true })),
  };
}

/** Opens a page, hands it to `use`, and closes the browser whatever happens, after `limit` seconds at the latest. */
export async function withPage<T>(
  browser: string,
  url: string,
  { width, theme, limit = 90 }: { width: number; theme: 'light' | 'dark'; limit?: number },
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'browser-'));
  const child = spawn(
    browser,
    [...browserFlags(profile), '--hide-scrollbars', '--remote-debugging-port=0', `--window-size=${width},1000`, 'about:blank'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error(`${url}: the browser was not done within ${limit} s`)), 1000 * limit);
  });
  const work = async (): Promise<T> => {
    const { call, next } = await connect(await debuggerAddress(child));
    await call('Emulation.setDeviceMetricsOverride', { width, height: 1000, deviceScaleFactor: 2, mobile: false });
    await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] });
    await call('Page.enable');
    const loaded = next('Page.loadEventFired');
    await call('Page.navigate', { url });
    await loaded;
    return await use({
      async evaluate(expression) {
        const answer = Evaluated.parse(await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }));
        if (answer.exceptionDetails) throw new Error(`${expression}: ${answer.exceptionDetails.text}`);
        return answer.result.value;
      },
      async picture(area) {
        const shot = await call('Page.captureScreenshot', { captureBeyondViewport: true, clip: { ...area, scale: 1 } });
        return Buffer.from(z.object({ data: z.string() }).parse(shot).data, 'base64');
      },
    });
  };
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
