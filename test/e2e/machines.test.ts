/** The machines view in Chromium, with a real OpenSSH server and RunPod's API on loopback. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { hasSshd, OpensshServer, withoutSshd } from '../fixtures/openssh-server.ts';
import { RunpodServer } from '../fixtures/runpod-server.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { MachinesPage } from './pages/machines.ts';

const place = mkdtempSync(join(tmpdir(), 'mlt-machines-'));
const runs = join(place, 'runs');
/** What waits for a machine's answer, or for its end, on a busy computer. */
const SLOW = 60_000;
const missing = chromium === null ? withoutChromium : hasSshd || process.env.CI === 'true' ? null : withoutSshd;

describe.skipIf(missing !== null)(`Machines${missing === null ? '' : ` (${missing})`}`, () => {
  let browser: Browser;
  let shell: Shell;
  let sshd: OpensshServer;
  let runpod: RunpodServer;
  let pod: Server;
  let environment: Record<string, string>;
  beforeAll(async () => {
    mkdirSync(runs);
    browser = await openBrowser();
    sshd = await OpensshServer.start();
    runpod = new RunpodServer();
    runpod.provisioningLooks = 0;
    // Says that it is SSH and then nothing: all that a pod's own answer is waited for.
    pod = createServer(
      (socket) =>
        void socket
          .on('error', () => undefined)
          .resume()
          .write('SSH-2.0-OpenSSH_9.6\r\n'),
    );
    await new Promise<void>((done) => pod.listen(0, '127.0.0.1', done));
    const address = pod.address();
    runpod.ports = [typeof address === 'object' && address !== null ? address.port : 0];
    environment = { HOME: place, SSH_AUTH_SOCK: '', MEDLOGICTRACE_RUNPOD_API: await runpod.listen(), RUNPOD_API_KEY: runpod.key };
    shell = await startShell(runs, environment);
  });
  afterAll(async () => {
    await browser.close();
    await shell?.close();
    await sshd.stop();
    await runpod.close();
    await new Promise((done) => pod.close(done));
    rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  });

  test('a machine is added, its host key asked for once, and what it has and lacks is said', async () => {
    const { page, errors } = await openPage(browser, shell);
    const machines = new MachinesPage(page);
    await machines.open();
    await machines.add({ Name: '7up', Host: '127.0.0.1' });
    await page.getByText('a machine name begins with a letter').waitFor();
    const form = page.getByRole('form', { name: 'Add a machine' });
    await form.getByLabel('Name', { exact: true }).fill('lab');
    await form.getByLabel('User', { exact: true }).fill(sshd.user);
    await form.getByLabel('Port', { exact: true }).fill(String(sshd.port));
    await form.getByLabel('Key file', { exact: true }).fill(sshd.key);
    await form.getByRole('button', { name: 'Add machine' }).click();

    await page.getByText('Is this lab?').waitFor();
    await page.getByText(sshd.hostFingerprint).first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Accept this key' }).click();
    await page.getByText('Our folder there').waitFor({ timeout: SLOW });
    await page.getByRole('list', { name: 'Steps of the setup' }).getByText('PyTorch').first().waitFor();
    await machines.list.getByText('connected since').waitFor();
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('another host key than before is refused in red, with both keys, until it is accepted', async () => {
    const before = sshd.hostFingerprint;
    await shell.close();
    await sshd.halt();
    sshd.newHostKey();
    await sshd.listen();
    shell = await startShell(runs, environment);
    const { page } = await openPage(browser, shell, { dark: true });
    await page.goto(`${shell.url.split('#')[0]}#/machines/lab`);
    await page.getByText('lab shows another host key than before').waitFor();
    await page.getByText(before).first().waitFor();
    await page.getByText(sshd.hostFingerprint).first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Accept the new key' }).click();
    await new MachinesPage(page).list.getByText('connected since').waitFor();
    await page.context().close();
  });

  test('a pod: its price before, its cost on every screen after, its limits, and what ending it loses', async () => {
    const { page, errors } = await openPage(browser, shell);
    const machines = new MachinesPage(page);
    await machines.open();
    await page.getByRole('link', { name: 'Rent a pod' }).click();
    await page.getByText(/\$20\.00 last/).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Rent 8 × NVIDIA A40' }).click();
    await page.getByText('Spent so far').waitFor();
    expect(runpod.pods).toHaveLength(1);
    await page.getByRole('contentinfo').getByText('$3.52/h').waitFor();
    await page.getByText(/It is to stop itself at \$20\.00 or after 30 min/).waitFor();
    expect(await seriousViolations(page)).toEqual([]);

    await page.getByRole('button', { name: 'Terminate …' }).click();
    const question = page.getByRole('dialog', { name: 'Terminate the pod?' });
    await question.getByRole('listitem').first().waitFor({ timeout: SLOW });
    await question.getByRole('button', { name: 'Leave it as it is' }).click();
    expect(runpod.pods[0]?.status).not.toBe('TERMINATED');
    await page.getByRole('button', { name: 'Terminate …' }).click();
    await question.getByRole('button', { name: 'Terminate the pod' }).click({ timeout: SLOW });
    await expect.poll(() => runpod.pods[0]?.status ?? 'TERMINATED').toBe('TERMINATED');
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
