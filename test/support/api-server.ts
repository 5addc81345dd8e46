import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { KubeObject } from '../../operator/kube/api.ts';

type Stored = KubeObject & { metadata: { resourceVersion: string } };
type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What came in. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Behaviour = (request: ReceivedRequest, response: ServerResponse) => void;
export type RequestClass = 'list' | 'watch' | 'other';

/** A watch that a client holds open. */
export interface OpenWatch {
  readonly from: string;
  send(type: string, object: object): void;
  /** Sends text as it is, such as half an event. */
  write(text: string): void;
  /** Ends it as the server does when its time is over. */
  end(): void;
  /** Cuts the connection. */
  drop(): void;
  /** Resolves when the client has closed it. */
  readonly closed: Promise<void>;
}

/**
 * The list and watch half of an API server, for one kind of object, over real HTTP, with misbehaviour on demand. What it
 * answers by default is what a real one does; `test/integration` asks a real one.
 */
export interface FakeApiServer {
  readonly url: string;
  /** Path of a kubeconfig for it, whose token comes from a file. */
  readonly kubeconfig: string;
  readonly requests: readonly ReceivedRequest[];
  /** Answers the next request of that class, instead of what is usual; several are taken in turn. */
  once(request: RequestClass, behaviour: Behaviour): void;
  /** Resolves with the next watch that is opened, or with one that was and nobody asked for yet. */
  opened(): Promise<OpenWatch>;
  /** Makes or changes an object; watches hear of it unless `quietly`. */
  put(object: KubeObject, quietly?: boolean): Stored;
  remove(name: string, quietly?: boolean): Stored;
  /** Forgets the events so far: a watch from before is answered with 410. */
  compact(): void;
  version(): string;
  stop(): Promise<void>;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  sendJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, headers);
}

/** A list whose next page begins at this index. */
function pageFrom(query: URLSearchParams): number {
  return Number(query.get('continue') ?? 0);
}

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const objects = new Map<string, Stored>();
  const log: { version: number; type: EventType; object: Stored }[] = [];
  const requests: ReceivedRequest[] = [];
  const scripted: Record<RequestClass, Behaviour[]> = { list: [], watch: [], other: [] };
  const watches = new Set<OpenWatch>();
  const unclaimed: OpenWatch[] = [];
  const waiting: ((watch: OpenWatch) => void)[] = [];
  let version = 100;
  let compacted = 0;

  function happen(type: EventType, object: Stored, quietly: boolean): void {
    log.push({ version, type, object });
    for (const watch of quietly ? [] : watches) {
      watch.send(type, object);
    }
  }

  function list({ query }: ReceivedRequest, response: ServerResponse): void {
    const all = [...objects.values()];
    const start = pageFrom(query);
    const end = start + Number(query.get('limit') ?? all.length);
    const next = end < all.length ? { continue: String(end) } : {};
    // Items of built-in kinds come without apiVersion and kind.
    const items = all.slice(start, end).map((item) => ({ ...item, apiVersion: undefined, kind: undefined }));
    sendJson(response, 200, { kind: 'List', metadata: { resourceVersion: String(version), ...next }, items });
  }

  function watch({ query }: ReceivedRequest, response: ServerResponse): void {
    const from = query.get('resourceVersion') ?? '';
    if (Number(from) < compacted) {
      sendStatus(response, 410, 'Expired', `too old resource version: ${from} (${compacted})`);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const opened: OpenWatch = {
      from,
      send: (type, object) => opened.write(`${JSON.stringify({ type, object })}\n`),
      write: (content) => {
        response.write(content);
      },
      end: () => {
        response.end();
      },
      drop: () => {
        response.destroy();
      },
      closed: new Promise((resolve) => response.once('close', resolve)),
    };
    watches.add(opened);
    void opened.closed.then(() => watches.delete(opened));
    for (const event of log.filter((past) => past.version > Number(from))) {
      opened.send(event.type, event.object);
    }
    const claim = waiting.shift();
    if (claim === undefined) {
      unclaimed.push(opened);
    } else {
      claim(opened);
    }
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://server');
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: await text(incoming),
    };
    requests.push(request);
    const collection = /\/[a-z]+s$/.test(request.path) && request.method === 'GET';
    const kind: RequestClass = !collection ? 'other' : request.query.has('watch') ? 'watch' : 'list';
    const behaviour = scripted[kind].shift();
    if (behaviour !== undefined) {
      behaviour(request, response);
    } else if (kind === 'other') {
      sendStatus(response, 501, 'NotImplemented', 'nothing was scripted for this request');
    } else {
      (kind === 'watch' ? watch : list)(request, response);
    }
  }

  const server = createServer((incoming, response) => {
    void answer(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-api-server-'));
  await writeFile(join(folder, 'token'), 'first-token\n');
  await writeFile(
    join(folder, 'kubeconfig'),
    JSON.stringify({
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [
        { name: 'test', user: { 'auth-provider': { name: 'file', config: { tokenFile: join(folder, 'token') } } } },
      ],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    }),
  );

  return {
    url,
    kubeconfig: join(folder, 'kubeconfig'),
    requests,
    once: (kind, behaviour) => {
      scripted[kind].push(behaviour);
    },
    opened: () =>
      new Promise((resolve) => {
        const first = unclaimed.shift();
        if (first === undefined) {
          waiting.push(resolve);
        } else {
          resolve(first);
        }
      }),
    put(object, quietly = false) {
      version += 1;
      const before = objects.get(object.metadata.name);
      const stored: Stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
      objects.set(object.metadata.name, stored);
      happen(before === undefined ? 'ADDED' : 'MODIFIED', stored, quietly);
      return stored;
    },
    remove(name, quietly = false) {
      const before = objects.get(name);
      if (before === undefined) {
        throw new RangeError(`There is no ${name}.`);
      }
      version += 1;
      objects.delete(name);
      const last: Stored = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
      happen('DELETED', last, quietly);
      return last;
    },
    compact() {
      version += 1;
      compacted = version;
      log.length = 0;
    },
    version: () => String(version),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
