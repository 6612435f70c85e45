/** Electron's window: where its pages come from and who may call, as plain functions, so that each is tested without Electron. */
import { fileBelow } from './page.ts';

/** The scheme that the window is served from. A scheme of our own, because `file:` pages may read every file. */
export const SCHEME = 'workbench';
const HOST = 'app';
export const WINDOW_URL = `${SCHEME}://${HOST}/index.html`;

/** The file below `folder` that a URL of the window means; null for another origin or a path that leads out of the folder. */
export function assetPath(url: string, folder: string): string | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.protocol === `${SCHEME}:` && parsed.host === HOST ? fileBelow(folder, parsed.pathname) : null;
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
  if (url === null || !topLevel || !URL.canParse(url)) return false;
  const { protocol, host, origin } = new URL(url);
  if (protocol === `${SCHEME}:`) return host === HOST;
  return developmentUrl !== undefined && origin === new URL(developmentUrl).origin;
}
