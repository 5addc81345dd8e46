import { createServer, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { HoldfastError } from '../base/errors.ts';
import { type ApiOptions, application } from './application.ts';
import { problemOf, RequestError } from './http/problem.ts';
import { HEADERS, PROBLEM_TYPE } from './reply.ts';

export interface Listening {
  /** Where it is reached: of a wildcard, an address of this machine. */
  readonly url: string;
  readonly port: number;
  /** Connections that are open. */
  connections(): Promise<number>;
  /** Ends it: not ready first, then no new connections, then what is under way. Resolves when nothing is left. */
  stop(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** How long it goes on while it already says that it is not ready, for those who send it requests to notice. */
  readonly drainSeconds: number;
  /** Milliseconds for a whole request, its head included, to arrive. Default: 30 seconds, 10 of them for the head. */
  readonly requestMs?: number;
  /** Milliseconds after which a connection on which nothing moves is closed. Default: a minute. */
  readonly stalledMs?: number;
}

/** What is under way is given as long as a statement may take, and some. */
const GRACE_MS = 10_000;

/** Serves the API. @throws HF_ADDRESS_UNAVAILABLE when it cannot listen there */
export async function serveApi(
  api: ApiOptions,
  { host, port, drainSeconds, requestMs = 30_000, stalledMs = 60_000 }: ListenOptions,
): Promise<Listening> {
  const app = application(api);
  const server = createServer(
    {
      headersTimeout: Math.min(10_000, requestMs),
      requestTimeout: requestMs,
      // How often Node looks for requests that are late.
      connectionsCheckingInterval: Math.min(5000, requestMs),
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
    },
    app.express,
  );
  // Whoever asks for a list and does not read it would keep a page of it in memory for ever.
  server.setTimeout(stalledMs);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseUnread(error, socket));
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${shownHost(address, host)}:${address.port}`,
    port: address.port,
    connections: promisify(server.getConnections.bind(server)),
    stop: () => (stopped ??= end(server, () => app.drain(), drainSeconds)),
  };
}

async function end(server: Server, drain: () => void, drainSeconds: number): Promise<void> {
  drain();
  if (drainSeconds > 0) await pause(drainSeconds * 1000);
  const closed = new Promise((resolve) => server.close(resolve));
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  // A connection that was answering when the server was closed would be kept for the next request.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new HoldfastError('HF_ADDRESS_UNAVAILABLE', listenFailure(cause, host, port), { cause })),
    );
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenFailure({ code }: NodeJS.ErrnoException, host: string, port: number): string {
  const place = `${host} port ${port}`;
  if (code === 'EADDRINUSE') return `another program listens on ${place}: stop it, or choose another with --port`;
  if (code === 'EACCES') return `this user may not listen on ${place}: choose a port from 1024 with --port`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `this machine has no address ${host}: mend --host`;
  return `cannot listen on ${place} (${code ?? 'unknown reason'})`;
}

function shownHost({ address, family }: AddressInfo, asked: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  if (asked === 'localhost') return asked;
  return family === 'IPv6' ? `[${address}]` : address;
}

/** What is no request, or too much of one: Node gives it up before anybody sees it. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const { problem } = problemOf(refusal(error.code), 'none');
  const body = JSON.stringify(problem);
  const headers = {
    ...HEADERS,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // A client that never ends its side would keep the connection for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${head.join('')}\r\n${body}`);
}

function refusal(code: string | undefined): RequestError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new RequestError(431, 'HF_REQUEST_REFUSED', 'the head of the request is larger than 16 KiB');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new RequestError(408, 'HF_REQUEST_REFUSED', 'the request did not arrive whole in time');
  }
  return new RequestError(400, 'HF_REQUEST_REFUSED', 'this is not a request of HTTP/1.1');
}
