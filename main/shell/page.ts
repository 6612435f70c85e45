/** The window's files as both shells serve them: below one folder, known kinds only, under one policy. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** Of all style attributes this one alone: `font-weight:bold`, which the plotting library writes for bold labels. */
const BOLD = "'sha256-wkY2X5hecQzbhnFCqvTpwrUJ1f4X8LH5WFjYUzv1wmU='";

/**
 * Nothing from elsewhere, no inline script, no eval. Style elements need this answer's own nonce: the kit writes its variables in one.
 * `blob:` and `data:` images are exported figures.
 */
export const contentSecurityPolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    `style-src-attr 'unsafe-hashes' ${BOLD}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Stands in index.html where the nonce goes. */
const NONCE_PLACE = '%NONCE%';

/** Headers of every answer, pages or not. */
export const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

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

/** The file below `folder` that a URL's path means; null for one that leads out of the folder or cannot be decoded. */
export function fileBelow(folder: string, pathname: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    // Not decodable: there is no such file.
    return null;
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  const file = join(folder, path === '/' ? 'index.html' : path);
  const inside = relative(folder, file);
  return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? null : file;
}

export interface ServedFile {
  body: Buffer;
  headers: Record<string, string>;
}

/** Reads a file of the window; null where there is none of a known kind. */
export async function readPage(path: string | null): Promise<ServedFile | null> {
  const type = path === null ? null : mediaType(path);
  if (path === null || type === null) return null;
  try {
    const body = await readFile(path);
    const headers = { ...SAFE_HEADERS, 'content-type': type };
    if (!type.startsWith('text/html')) return { body, headers };
    const nonce = randomBytes(18).toString('base64');
    const html = body.toString('utf8').replaceAll(NONCE_PLACE, nonce);
    return { body: Buffer.from(html), headers: { ...headers, 'content-security-policy': contentSecurityPolicy(nonce) } };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') return null;
    throw error;
  }
}
