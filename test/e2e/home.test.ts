/** The window's page as built, in a real Chromium, over a bridge that answers from a file of replies. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assetPath, CONTENT_SECURITY_POLICY, mediaType } from '../../main/shell/window-origin.ts';
import type { RunSummary } from '../../shared/run-view.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

const summary = (id: string, over: Partial<RunSummary>): RunSummary => ({
  id,
  folder: `/runs/${id}`,
  kind: 'train',
  name: null,
  created: '2026-01-02T03:04:05.000Z',
  state: { state: 'live', evidence: 'heartbeat moves' },
  progress: { step: 14, total_steps: 56, what: null, done: null, total: null, seconds_left: 125 },
  ...over,
});

/** What the bridge of each page answers to `runs.list`. */
const replies = {
  empty: { ok: true, data: { runs_dir: '/home/a/runs', runs: [], unreadable: [] } },
  failing: { ok: false, error: { code: 'failed', message: 'EACCES: permission denied' } },
  filled: {
    ok: true,
    data: {
      runs_dir: '/runs',
      runs: [
        summary('run-live', {}),
        summary('run-lost', {
          name: '<img src=x onerror=alert(1)>',
          state: { state: 'unverifiable', evidence: 'silent', age_seconds: 400 },
        }),
        summary('run-failed', {
          kind: 'evaluate',
          state: { state: 'exited', evidence: '', exit: { code: 1, signal: null, reason: 'out of memory', time: '' } },
        }),
      ],
      unreadable: [{ folder: '/runs/torn', message: 'run.json is empty' }],
    },
  },
};

// As a reason, not in silence: vitest shows the title of what it skips.
describe.skipIf(chromium === null)(`the window's page in Chromium${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  mkdirSync(join(root, 'out'), { recursive: true });
  const out = mkdtempSync(join(root, 'out', 'test-page-'));
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const vite = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
    const env = { ...process.env, NODE_ENV: 'production' };
    await run(process.execPath, [vite, 'build', '--outDir', out, '--logLevel', 'warn'], { cwd: root, env });
    server = createServer((request, response) => {
      const [, page, ...rest] = (request.url ?? '/').split('/');
      const file = rest.join('/') || 'index.html';
      const headers = { 'content-security-policy': CONTENT_SECURITY_POLICY };
      if (file === 'bridge.js') {
        const reply = JSON.stringify(replies[page as keyof typeof replies]);
        response.writeHead(200, { ...headers, 'content-type': 'text/javascript' });
        response.end(`globalThis.workbench = { call: async () => (${reply}) };`);
        return;
      }
      const path = assetPath(`workbench://app/${file}`, join(out, 'renderer'));
      if (path === null) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { ...headers, 'content-type': mediaType(path) ?? 'application/octet-stream' });
      const text = readFileSync(path, 'utf8');
      response.end(file === 'index.html' ? text.replace('<head>', '<head><script src="./bridge.js"></script>') : text);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((done) => server?.close(done));
    rmSync(out, { recursive: true, force: true });
  });

  /** The page's elements after its scripts have run. */
  async function page(name: keyof typeof replies): Promise<string> {
    const profile = mkdtempSync(join(out, 'profile-'));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, '--virtual-time-budget=4000', '--dump-dom'];
    const { stdout } = await run(chromium ?? '', [...flags, `${origin}/${name}/index.html`], { timeout: 50_000 });
    return stdout;
  }

  test('no runs: says what a run is and how to get one', async () => {
    const html = await page('empty');
    expect(html).toContain('No runs yet');
    expect(html).toContain('npm run demo');
    expect(html).toContain('/home/a/runs');
  });

  test('a failed question is told with its reason, not shown as an empty folder', async () => {
    const html = await page('failing');
    expect(html).toContain('EACCES: permission denied');
    expect(html).toContain('Try again');
    expect(html).not.toContain('No runs yet');
  });

  test('runs show state, progress and time left; a run out of sight is not called failed; text is never markup', async () => {
    const html = await page('filled');
    expect(html).toMatch(/class="state live"[^>]*>.*?running/);
    expect(html).toContain('step 14 of 56');
    expect(html).toContain('2 min left');
    expect(html).toMatch(/class="state unverifiable"[^>]*>.*?not seen for 7 min/);
    expect(html).toMatch(/class="state failed"[^>]*>.*?ended: out of memory/);
    expect(html).toContain('/runs/torn cannot be read: run.json is empty');
    expect(html).toContain('3 in all, 1 running');
    expect(html).toContain('&lt;img src=x');
    expect(html).not.toContain('<img');
  });
});
