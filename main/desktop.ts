/**
 * The Electron shell: one sandboxed window, served from a scheme of its own, that reaches the services through one checked channel.
 * Everything else (navigation, new windows, permissions) is refused.
 */
import { join } from 'node:path';
import { app, BrowserWindow, ipcMain, protocol, session, type WebContents } from 'electron';
import packageJson from '../package.json' with { type: 'json' };
import { FILE_CHANNEL, FRAME_CHANNEL } from '../shared/rpc/channel.ts';
import { type Connection, openConnection } from './rpc/connection.ts';
import { errorOf } from './rpc/router.ts';
import { createWorkbenchRouter } from './rpc/workbench-router.ts';
import { readPage } from './shell/page.ts';
import { assetPath, mayCall, SCHEME, WINDOW_URL } from './shell/window-origin.ts';
import { GivenFiles } from './workbench/given-files.ts';
import { defaultRunsDir } from './workbench/runs.ts';

const rendererFolder = join(import.meta.dirname, '..', 'renderer');
/** Address of the development server; a packaged app takes none. */
const developmentUrl = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL;

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }]);

async function serve(request: Request): Promise<Response> {
  const page = await readPage(assetPath(request.url, rendererFolder));
  if (page === null) return new Response('not found', { status: 404 });
  return new Response(new Uint8Array(page.body), { headers: page.headers });
}

function openWindow(): void {
  const window = new BrowserWindow({
    width: 1280,
    height: 840,
    minWidth: 720,
    minHeight: 480,
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
  window.once('ready-to-show', () => window.show());
  void window.loadURL(developmentUrl ?? WINDOW_URL);
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
const router = createWorkbenchRouter({ version: packageJson.version, runsDir: defaultRunsDir(), files });
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
