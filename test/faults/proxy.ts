import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { KubeObject } from '../../operator/kube/api.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import {
  type Answer,
  CUT,
  type Interference,
  type Outcome,
  type Read,
  type Target,
  type Write,
} from './interference.ts';
import { openWatches, type Watches } from './watches.ts';

/** Stands between one replica of the operator and a real API server, and interferes. */
export interface Proxy {
  readonly url: string;
  /** What stands in the way from now on. */
  interference: Interference;
  /** Every write so far, leases excepted. */
  readonly writes: readonly Write[];
  /** Watches that are open. */
  readonly watches: Watches;
  stop(): Promise<void>;
}

/** TLS on both sides, with the certificate of the API server itself; the caller's own token is passed on. */
export async function startProxy({ url, caFile }: ControlPlane): Promise<Proxy> {
  const certificate = readFileSync(caFile);
  const agent = new https.Agent({ keepAlive: true, ca: certificate });
  const writes: Write[] = [];
  const seen = new Map<string, number>();
  const watches = openWatches(() => proxy.interference);

  function writeOf(method: string, target: Target, body: Buffer): Write {
    const { resource, subresource } = target;
    const lease = resource === 'leases';
    const words = `${method} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
    const object = target.name ?? nameIn(body);
    const what = `${words} ${object}`;
    const occurrence = (seen.get(what) ?? 0) + 1;
    seen.set(what, occurrence);
    const write = { ...target, method, words, occurrence, lease, object };
    if (!lease) writes.push(write);
    return write;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const target = targetOf(pathname);
    const method = request.method ?? 'GET';
    const upstream = (body: Buffer | undefined, query = searchParams) =>
      ask(url, agent, { method, path: query.size === 0 ? pathname : `${pathname}?${query.toString()}`, request, body });
    if (method === 'GET' && searchParams.has('watch')) {
      await watch({ ...target, query: searchParams }, pathname, request, response);
      return;
    }
    if (method === 'GET') {
      const act = (query?: URLSearchParams) => upstream(undefined, query);
      const read = { ...target, query: searchParams };
      reply(response, await (proxy.interference.read?.(read, act) ?? act()));
      return;
    }
    const body = await buffer(request);
    // Once it has been sent, the API server may act on it whatever becomes of the sender.
    const act = () => upstream(body);
    const write = writeOf(method, target, body);
    reply(response, await (proxy.interference.write?.(write, act) ?? act()));
  }

  async function watch(read: Read, path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const plan = (await proxy.interference.watch?.(read)) ?? {};
    if (response.destroyed) return;
    if ('refuse' in plan) {
      reply(response, plan.refuse);
      return;
    }
    const call = https.request(new URL(`${path}?${(plan.query ?? read.query).toString()}`, url), {
      agent,
      headers: passedOn(request),
    });
    response.once('close', () => call.destroy());
    call.once('error', () => response.destroy());
    call.once('response', (answer) => void watches.carry(read.resource, answer, response));
    call.end();
  }

  const server = https.createServer({ cert: certificate, key: readFileSync(keyOf(caFile)) }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const proxy: Proxy = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    interference: {},
    writes,
    watches,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
  return proxy;
}

/** The API server keeps it beside the certificate that it makes itself. */
function keyOf(certificateFile: string): string {
  return certificateFile.replace(/\.crt$/, '.key');
}

/** `/apis/batch/v1/namespaces/shop/jobs/a/status`, or the same of the core group. */
function targetOf(path: string): Target {
  const parts = path.split('/').slice(1);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const [resource = '', name, subresource] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  return {
    resource,
    ...(name === undefined ? {} : { name: decodeURIComponent(name) }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** What is made bears its name; events have names that nobody knows. */
function nameIn(body: Buffer): string {
  const { kind, reason, metadata } = JSON.parse(body.toString()) as Partial<KubeObject> & { readonly reason?: string };
  return (kind === 'Event' ? reason : metadata?.name) ?? '';
}

function passedOn({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const { host: _host, connection: _connection, ...rest } = headers;
  return rest;
}

/** Asks the API server; a connection that breaks is passed on as one that breaks. */
function ask(
  url: string,
  agent: https.Agent,
  { method, path, request, body }: { method: string; path: string; request: IncomingMessage; body: Buffer | undefined },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const call = https.request(new URL(path, url), { method, agent, headers: passedOn(request) });
    call.once('error', () => resolve(CUT));
    call.once('response', (response) => {
      buffer(response).then(
        (content) => resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body: content }),
        () => resolve(CUT),
      );
    });
    call.end(body);
  });
}

function headersOf({ headers }: IncomingMessage): Answer['headers'] {
  const kept = ['content-type', 'retry-after'];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function reply(response: ServerResponse, outcome: Outcome): void {
  if (response.destroyed) return;
  if (outcome === CUT) {
    response.destroy();
    return;
  }
  response.writeHead(outcome.status, { ...outcome.headers, 'content-length': outcome.body.length });
  response.end(outcome.body);
}
