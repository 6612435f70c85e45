/**
 * The browser shell: the window's pages and services on this machine's loopback address. The address that is printed carries a random
 * token, which the first visit trades for a cookie, so that it does not stay in the page's address.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { openConnection } from './rpc/connection.ts';
import { errorOf, type Router } from './rpc/router.ts';
import { type Asked, checkHost, checkOrigin, checkToken, cookieName, type Refusal, sameSecret } from './shell/browser-guard.ts';
import { fileBelow, readPage, SAFE_HEADERS } from './shell/page.ts';
import type { GivenFiles } from './workbench/given-files.ts';

export interface ServeOptions {
  router: Router;
  files: GivenFiles;
  /** The built renderer. */
  pages: string;
  /** 0: any free one. @default 0 */
  port?: number;
}

export interface RunningServer {
  port: number;
  /** With the token: for the person who started it. */
  url: string;
  close(): Promise<void>;
}

/** Longest frame from the window, in bytes: configs and notes, never files. */
const MAX_FRAME = 4_000_000;

const askedOf = ({ headers }: IncomingMessage): Asked => ({ host: headers.host, origin: headers.origin, cookie: headers.cookie });

function refuse(response: ServerResponse, { status, message }: Refusal): void {
  response.writeHead(status, { ...SAFE_HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}

function refuseUpgrade(socket: Duplex, { status, message }: Refusal): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n${message}\n`);
}

/** Starts serving on 127.0.0.1. Errors: the port is taken. */
export async function serve({ router, files, pages, port = 0 }: ServeOptions): Promise<RunningServer> {
  const token = randomBytes(32).toString('base64url');
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, SAFE_HEADERS);
      response.end(`${errorOf(error).message}\n`);
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', done);
  });
  const own = (server.address() as AddressInfo).port;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = askedOf(request);
    const strange = checkHost(asked, own);
    if (strange !== null) return refuse(response, strange);
    const url = new URL(request.url ?? '/', `http://${asked.host}`);
    const given = url.searchParams.get('token');
    if (request.method === 'GET' && url.pathname === '/' && given !== null) {
      if (!sameSecret(given, token))
        return refuse(response, { status: 401, message: 'this token is not (or no longer) the key to this server' });
      const cookie = `${cookieName(own)}=${token}; HttpOnly; SameSite=Strict; Path=/`;
      response.writeHead(303, { ...SAFE_HEADERS, 'set-cookie': cookie, location: '/', 'cache-control': 'no-store' }).end();
      return;
    }
    const denied = checkToken(asked, own, token);
    if (denied !== null) return refuse(response, denied);
    if (request.method === 'POST' && url.pathname === '/files') {
      const foreign = checkOrigin(asked);
      if (foreign !== null) return refuse(response, foreign);
      const reply = await files.store(url.searchParams.get('name') ?? 'file', request).then(
        (data) => ({ ok: true, data }),
        (error: unknown) => ({ ok: false, error: errorOf(error) }),
      );
      response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(reply));
      return;
    }
    const page = request.method === 'GET' ? await readPage(fileBelow(pages, url.pathname)) : null;
    if (page === null) {
      response.writeHead(404, SAFE_HEADERS).end('not found\n');
      return;
    }
    // Built files carry a hash of their content in their name; the page that names them is always asked for.
    const cache = url.pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache';
    response.writeHead(200, { ...page.headers, 'cache-control': cache }).end(page.body);
  }

  server.on('upgrade', (request, socket, head) => {
    const asked = askedOf(request);
    const refusal = checkHost(asked, own) ?? checkOrigin(asked) ?? checkToken(asked, own, token);
    if (refusal !== null || request.url !== '/rpc') {
      refuseUpgrade(socket, refusal ?? { status: 400, message: 'there is no such socket' });
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => connect(opened, router));
  });

  return {
    port: own,
    url: `http://127.0.0.1:${own}/?token=${token}`,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      files.clear();
    },
  };
}

function connect(socket: WebSocket, router: Router): void {
  const connection = openConnection(router, (frame) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
  });
  socket.on('message', (data) => {
    let frame: unknown;
    try {
      frame = JSON.parse(String(data));
    } catch {
      socket.close(1003, 'not JSON');
      return;
    }
    if (!connection.receive(frame)) socket.close(1003, 'not a frame');
  });
  socket.on('close', () => connection.close());
  // A broken client is its own trouble; `close` follows.
  socket.on('error', () => socket.terminate());
}
