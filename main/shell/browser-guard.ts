/**
 * Who may use the browser shell. Any page of the browser can send requests to a port of this machine, so three things are asked of each:
 * the Host that we serve (a name of another site that resolves to 127.0.0.1 is DNS rebinding), for anything that acts the Origin of our own
 * page, and the token, by a cookie that only our page's requests carry.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface Asked {
  host: string | undefined;
  /** Absent on plain navigation. */
  origin: string | undefined;
  cookie: string | undefined;
}

export type Refusal = { status: 400 | 401 | 403; message: string };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Equal texts, in a time that tells nothing of where they differ. */
export const sameSecret = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted));

/** Cookies do not tell ports apart: each server has a name of its own. */
export const cookieName = (port: number): string => `medlogictrace-${port}`;

function cookieValue(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}

const HOSTS = (port: number): string[] => [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];

/** Refuses a request for another host. */
export function checkHost({ host }: Asked, port: number): Refusal | null {
  if (host !== undefined && HOSTS(port).includes(host.toLowerCase())) return null;
  return { status: 403, message: `this server answers to ${HOSTS(port)[0]} only, not to ${JSON.stringify(host ?? '')}` };
}

/** Refuses what does not come from our own page: for WebSockets and everything that changes something. */
export function checkOrigin({ host, origin }: Asked): Refusal | null {
  if (origin === `http://${host}`) return null;
  return { status: 403, message: `only the workbench's own page may ask this, not ${origin ?? 'a request without an origin'}` };
}

/** Refuses a request without the token's cookie. */
export function checkToken({ cookie }: Asked, port: number, token: string): Refusal | null {
  const given = cookieValue(cookie, cookieName(port));
  if (given !== null && sameSecret(given, token)) return null;
  return { status: 401, message: 'open the address that "medlogictrace serve" printed: it carries the key to this server' };
}
