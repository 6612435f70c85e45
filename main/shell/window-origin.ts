/** Where the window's pages come from, which files they are, and who may call: plain functions, so that each is tested without Electron. */
import { isAbsolute, join, relative, sep } from 'node:path';

/** The scheme that the window is served from. A scheme of our own, because `file:` pages may read every file. */
export const SCHEME = 'workbench';
const HOST = 'app';
export const WINDOW_URL = `${SCHEME}://${HOST}/index.html`;

/** Nothing from elsewhere, nothing inline, no eval. `blob:` and `data:` images are exported figures. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
};

/** Media type of a file by its ending; null for one that the window does not use. */
export const mediaType = (path: string): string | null => TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? null;

/** The file below `folder` that a URL of the window means; null for another origin or a path that leads out of the folder. */
export function assetPath(url: string, folder: string): string | null {
  let path: string;
  try {
    const parsed = new URL(url);
    if (parsed.protocol !== `${SCHEME}:` || parsed.host !== HOST) return null;
    path = decodeURIComponent(parsed.pathname);
  } catch {
    // Not a URL, or not decodable: there is no such file.
    return null;
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  const file = join(folder, path === '/' ? 'index.html' : path);
  const inside = relative(folder, file);
  return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? null : file;
}

/** The sender of a call, as far as it decides whether it may call. */
export interface Caller {
  /** Address of the frame that called; null when it is gone. */
  url: string | null;
  /** Whether it is the page itself and not a frame in it. */
  topLevel: boolean;
}

/** Only the window's own page may call: the one served by us or, while developing, the development server's. */
export function mayCall({ url, topLevel }: Caller, developmentUrl: string | undefined): boolean {
  if (url === null || !topLevel) return false;
  try {
    const { protocol, host, origin } = new URL(url);
    if (protocol === `${SCHEME}:`) return host === HOST;
    return developmentUrl !== undefined && origin === new URL(developmentUrl).origin;
  } catch {
    // An address that is none.
    return false;
  }
}
