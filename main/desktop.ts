/**
 * The Electron shell: one sandboxed window, served from a scheme of its own, that reaches the services through one checked channel.
 * Everything else (navigation, new windows, permissions) is refused.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { app, BrowserWindow, ipcMain, protocol, session } from 'electron';
import packageJson from '../package.json' with { type: 'json' };
import { RPC_CHANNEL } from '../shared/rpc/channel.ts';
import { createHandlers } from './rpc/handlers.ts';
import { createRouter } from './rpc/router.ts';
import { assetPath, CONTENT_SECURITY_POLICY, mayCall, mediaType, SCHEME, WINDOW_URL } from './shell/window-origin.ts';
import { defaultRunsDir } from './workbench/runs.ts';

const rendererFolder = join(import.meta.dirname, '..', 'renderer');
/** Address of the development server; a packaged app takes none. */
const developmentUrl = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL;

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }]);

async function serve(request: Request): Promise<Response> {
  const path = assetPath(request.url, rendererFolder);
  const type = path === null ? null : mediaType(path);
  if (path === null || type === null) return new Response('not found', { status: 404 });
  try {
    const body = new Uint8Array(await readFile(path));
    const headers = { 'content-type': type, 'content-security-policy': CONTENT_SECURITY_POLICY, 'x-content-type-options': 'nosniff' };
    return new Response(body, { headers });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Response('not found', { status: 404 });
    throw error;
  }
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
const route = createRouter(createHandlers({ version: packageJson.version, runsDir: defaultRunsDir() }));
ipcMain.handle(RPC_CHANNEL, (event, name: unknown, input: unknown) => {
  const frame = event.senderFrame;
  const caller = { url: frame?.url ?? null, topLevel: frame !== null && frame.parent === null };
  if (!mayCall(caller, developmentUrl)) return { ok: false, error: { code: 'denied', message: 'only the window may call' } };
  return route(name, input);
});
openWindow();
