/**
 * The Electron shell: one sandboxed window, served from a scheme of its own, that reaches the services through one checked channel.
 * Everything else (navigation, new windows, permissions) is refused.
 */
import { join } from 'node:path';
import {
  app,
  BrowserWindow,
  ipcMain,
  Menu,
  Notification,
  powerMonitor,
  protocol,
  safeStorage,
  screen,
  session,
  shell,
  type WebContents,
} from 'electron';
import packageJson from '../package.json' with { type: 'json' };
import type { ServerFrame } from '../shared/rpc/channel.ts';
import { FILE_CHANNEL, FRAME_CHANNEL } from '../shared/rpc/channel.ts';
import type { RunList } from '../shared/run-view.ts';
import { type Connection, openConnection } from './rpc/connection.ts';
import { errorOf } from './rpc/router.ts';
import { createWorkbenchRouter } from './rpc/workbench-router.ts';
import { menuTemplate } from './shell/menu.ts';
import { readPage } from './shell/page.ts';
import { runNotices } from './shell/run-notices.ts';
import { keychainSecrets } from './shell/secrets.ts';
import { assetPath, mayCall, SCHEME, WINDOW_URL } from './shell/window-origin.ts';
import { fitToScreens, readWindowState, SMALLEST, writeWindowState } from './shell/window-state.ts';
import { GivenFiles } from './workbench/given-files.ts';
import { useInstallation } from './workbench/installation.ts';
import { RunnerService } from './workbench/runner-service.ts';

const rendererFolder = join(import.meta.dirname, '..', 'renderer');
// Electron is no Node, and this file is a bundle: processes are started from the release's own runner, or from the checkout.
const { runsDir } = useInstallation({
  programs: app.isPackaged ? join(process.resourcesPath, 'runner') : join(import.meta.dirname, '..', '..'),
  packaged: app.isPackaged,
});
/** Address of the development server; a packaged app takes none. */
const developmentUrl = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL;

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }]);

async function serve(request: Request): Promise<Response> {
  const page = await readPage(assetPath(request.url, rendererFolder));
  if (page === null) return new Response('not found', { status: 404 });
  return new Response(new Uint8Array(page.body), { headers: page.headers });
}

const statePath = (): string => join(app.getPath('userData'), 'window.json');

function openWindow(): BrowserWindow {
  const kept = readWindowState(statePath());
  const placed =
    kept === null
      ? null
      : fitToScreens(
          kept,
          screen.getAllDisplays().map(({ workArea }) => workArea),
        );
  const window = new BrowserWindow({
    width: 1280,
    height: 840,
    ...(placed === null ? {} : { x: placed.x, y: placed.y, width: placed.width, height: placed.height }),
    minWidth: SMALLEST.width,
    minHeight: SMALLEST.height,
    show: false,
    title: 'MedLogicTrace Workbench',
    webPreferences: {
      preload: join(import.meta.dirname, '..', 'preload', 'index.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
    },
  });
  if (placed?.maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => writeWindowState(statePath(), { ...window.getNormalBounds(), maximized: window.isMaximized() }));
  void window.loadURL(developmentUrl ?? WINDOW_URL);
  return window;
}

/** Brings an address up in the window, opening one where there is none. */
function show(address: string): void {
  const window = BrowserWindow.getAllWindows()[0];
  if (window === undefined) {
    openWindow();
    return;
  }
  if (window.isMinimized()) window.restore();
  window.focus();
  const frame: ServerFrame = { id: 0, kind: 'show', address };
  window.webContents.send(FRAME_CHANNEL, frame);
}

app.on('web-contents-created', (_event, contents) => {
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
});
app.on('window-all-closed', () => {
  if (process.platform !== 'darwin') app.quit();
});
app.on('activate', () => {
  if (BrowserWindow.getAllWindows().length === 0) openWindow();
});

await app.whenReady();
session.defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
protocol.handle(SCHEME, serve);
const files = new GivenFiles();
const secretStore = keychainSecrets(join(app.getPath('userData'), 'secrets.json'), safeStorage);
const router = createWorkbenchRouter({ version: packageJson.version, runsDir, files, runner: new RunnerService(), secretStore });
const connections = new Map<WebContents, Connection>();

/** Whether an IPC event comes from the window's own page. */
function isOurs(event: Electron.IpcMainEvent | Electron.IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  return mayCall({ url: frame?.url ?? null, topLevel: frame !== null && frame.parent === null }, developmentUrl);
}

function connectionOf(contents: WebContents): Connection {
  const known = connections.get(contents);
  if (known !== undefined) return known;
  const opened = openConnection(router, (frame) => {
    if (!contents.isDestroyed()) contents.send(FRAME_CHANNEL, frame);
  });
  connections.set(contents, opened);
  const end = (): void => {
    opened.close();
    connections.delete(contents);
  };
  contents.once('destroyed', end);
  // A page loaded anew follows nothing of what the old one did.
  contents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
    if (isMainFrame && !isSameDocument) end();
  });
  return opened;
}

ipcMain.on(FRAME_CHANNEL, (event, frame: unknown) => {
  if (isOurs(event)) connectionOf(event.sender).receive(frame);
});
ipcMain.handle(FILE_CHANNEL, async (event, path: unknown) => {
  if (!isOurs(event) || typeof path !== 'string')
    return { ok: false, error: { code: 'denied', message: 'only the window may give files' } };
  return files.register(path).then(
    (data) => ({ ok: true, data }),
    (error: unknown) => ({ ok: false, error: errorOf(error) }),
  );
});
openWindow();

Menu.setApplicationMenu(
  Menu.buildFromTemplate(menuTemplate(process.platform, { show, openRunsFolder: () => void shell.openPath(runsDir) })),
);

/** Tells what became of runs while nobody looks. */
function notify(before: RunList, after: RunList): void {
  if (BrowserWindow.getFocusedWindow() !== null || !Notification.isSupported()) return;
  for (const { run, title, body } of runNotices(before, after)) {
    const notice = new Notification({ title, body });
    notice.on('click', () => show(`#/runs/${encodeURIComponent(run)}`));
    // On a Mac an unsigned build may not notify; the window tells it anyway.
    notice.on('failed', (_event, reason) => console.error(`notification: ${reason}`));
    notice.show();
  }
}

let watching = new AbortController();
function watchRuns(): void {
  watching = new AbortController();
  let before: RunList | null = null;
  void router.follow(
    'runs.watch',
    {},
    (item) => {
      const list = item as RunList;
      if (before !== null) notify(before, list);
      before = list;
    },
    watching.signal,
  );
}
watchRuns();
// Asleep, nothing is seen: what changed meanwhile is read anew on waking instead of told as news.
powerMonitor.on('suspend', () => watching.abort());
powerMonitor.on('resume', () => {
  watchRuns();
  void router.afterSleep();
});
