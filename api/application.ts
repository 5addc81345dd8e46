import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Database } from '../database/client/database.ts';
import {
  type Access,
  isOurHost,
  isSameOrigin,
  scopeOfBearer,
  scopeOfSession,
  scopeOfToken,
  sessionCookie,
} from './http/access.ts';
import { downloadTurns } from './http/download-turns.ts';
import type { Log } from './http/log.ts';
import { problemOf, RequestError } from './http/problem.ts';
import { databaseReadiness } from './http/readiness.ts';
import type { PathValues } from './http/route.ts';
import { mayRead, type Scope } from './http/sessions.ts';
import { apiMetrics } from './metrics.ts';
import { listPages } from './page/list.ts';
import { LIST_FILES, LIST_PATH } from './page/list-address.ts';
import { firstPage, refusalPage } from './page/page.ts';
import { ICON, STYLE } from './page/style.ts';
import { JSON_TYPE, PAGE_HEADERS, PROBLEM_TYPE, reply, sendFile, TEXT_TYPE } from './reply.ts';
import { DOWNLOADS } from './v1/downloads.ts';
import { openapiDocument } from './v1/openapi.ts';
import { ROUTES } from './v1/routes.ts';

/** What the API is made of. */
export interface ApiOptions {
  readonly database: Database;
  readonly access: Access;
  readonly log: Log;
  /** Version of Holdfast. */
  readonly version: string;
  /** Namespace that the first page begins with. */
  readonly namespace: string;
  readonly now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

export interface Application {
  readonly express: Express;
  /** From now on it is not ready, and asks every client to connect anew elsewhere. */
  drain(): void;
}

/** What is known of a request while it is answered. */
interface Locals {
  /** Template of the route: the one name of it that goes into logs and metrics. */
  route: string;
  requestId: string;
  html: boolean;
  /** What the token opens; undefined on paths that need none, or a session. */
  scope?: Scope | undefined;
  code?: string;
  cause?: string;
}

const LONGEST_URL = 4096;
/** What anybody may read: nothing in it is about customers, programs or runs. */
const OPEN: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/page.css', '/icon.svg']);

/** What asks for a session by itself. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['/', LIST_PATH, ...Object.values(LIST_FILES)]);

/** The API as an application of Express: nothing listens yet. */
export function application(options: ApiOptions): Application {
  const { database, access, log, version, elapsed } = options;
  const metrics = apiMetrics(database, version);
  const ready = databaseReadiness(database);
  const page = firstPage(options);
  const lists = listPages(options);
  const inTurn = downloadTurns();
  let draining = false;

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.set('case sensitive routing', true).set('strict routing', true);

  app.use((request: Request, response: Response, next: NextFunction) => {
    const started = elapsed();
    const requestId = idOf(request);
    const locals: Locals = { route: 'none', requestId, html: false };
    Object.assign(response.locals, locals);
    metrics.begin();
    response.once('close', () => {
      const { route, code, cause } = response.locals as Locals;
      // 499, as proxies count it: whoever asked went away. What failed on its way is not theirs.
      const status = response.writableFinished ? response.statusCode : code === undefined ? 499 : 500;
      const milliseconds = elapsed() - started;
      metrics.end({ method: request.method, route, status, seconds: milliseconds / 1000 });
      log.request({ method: request.method, route, status, milliseconds, requestId, code, cause });
    });
    response.setHeader('X-Request-Id', requestId);
    if (draining) response.setHeader('Connection', 'close');
    response.locals['scope'] = admit(request, access);
    next();
  });

  const get = (path: string, answer: (request: Request, response: Response) => unknown) =>
    app.get(path.replaceAll(/\{(\w+)\}/g, ':$1'), async (request, response) => {
      response.locals['route'] = path;
      await answer(request, response);
    });
  const text = (path: string, type: string, body: string) =>
    get(path, (request, response) => reply(request, response, 200, type, body));

  for (const route of ROUTES) {
    get(route.path, async (request, response) => {
      requireJson(request);
      requireScope(response, request.params['namespace']);
      const body = await route.answer(options, request.params as PathValues, queryOf(request));
      reply(request, response, 200, JSON_TYPE, JSON.stringify(body));
    });
  }
  for (const { path, open } of DOWNLOADS) {
    get(path, async (request, response) => {
      requireScope(response, request.params['namespace']);
      await inTurn(scopeOf(response), async () =>
        sendFile(request, response, await open(options, request.params as PathValues, queryOf(request))),
      );
    });
  }
  text('/healthz', TEXT_TYPE, 'ok\n');
  get('/readyz', async (request, response) => {
    const missing = draining ? 'its end' : await ready();
    if (missing === undefined) reply(request, response, 200, TEXT_TYPE, 'ok\n');
    else reply(request, response, 503, TEXT_TYPE, `waiting for ${missing}\n`, { 'Retry-After': '2' });
  });
  get('/metrics', async (request, response) =>
    reply(request, response, 200, metrics.contentType, await metrics.page(scopeOf(response))),
  );
  const document = JSON.stringify(openapiDocument(version));
  text('/openapi.json', JSON_TYPE, document);
  text('/page.css', 'text/css; charset=utf-8', STYLE);
  text('/icon.svg', 'image/svg+xml', ICON);
  get('/', async (request, response) => {
    response.locals['html'] = true;
    const key = new URLSearchParams(queryOf(request)).get('key');
    // Whoever only looks at what is behind an address does not use it up.
    if (key !== null && request.method === 'GET') return letIn(request, response, access.sessions.redeem(key), access);
    const scope = scopeOfSession(request, access) ?? scopeOfBearer(request, access);
    if (scope === undefined) throw unauthorized();
    reply(request, response, 200, 'text/html; charset=utf-8', await page(queryOf(request), scope), PAGE_HEADERS);
  });
  /** What a session opens besides the first page: the list, and its files. */
  const forPeople = (path: string, answer: (request: Request, response: Response, scope: Scope) => Promise<void>) =>
    get(path, async (request, response) => {
      response.locals['html'] = true;
      const scope = scopeOfSession(request, access) ?? scopeOfBearer(request, access);
      if (scope === undefined) throw unauthorized();
      await answer(request, response, scope);
    });
  forPeople(LIST_PATH, async (request, response, scope) => {
    const list = await lists.page(queryOf(request), scope);
    reply(request, response, 200, 'text/html; charset=utf-8', list, PAGE_HEADERS);
  });
  for (const format of ['csv', 'jsonl'] as const) {
    forPeople(LIST_FILES[format], async (request, response, scope) =>
      inTurn(scope, async () => sendFile(request, response, await lists.file(format, queryOf(request), scope))),
    );
  }
  const form = express.urlencoded({ extended: false, inflate: false, limit: MOST_FORM_BYTES, parameterLimit: 4 });
  app.post(SESSION_PATH, form, (request, response) => {
    response.locals['route'] = SESSION_PATH;
    response.locals['html'] = true;
    if (!isSameOrigin(request)) throw new RequestError(403, 'HF_FORBIDDEN', 'the form was sent by a page elsewhere');
    const { token } = (request.body ?? {}) as { readonly token?: unknown };
    letIn(request, response, typeof token === 'string' ? scopeOfToken(token.trim(), access) : undefined, access);
  });

  refuseTheRest(app);
  return { express: app, drain: () => (draining = true) };
}

/** Where the form of the page sends a token, so that it is in no address. */
const SESSION_PATH = '/session';
const MOST_FORM_BYTES = 4096;

/** Begins a session of what was shown, and sends the browser on to the page. */
function letIn(request: Request, response: Response, scope: Scope | undefined, access: Access): void {
  if (scope === undefined) throw unauthorized();
  const headers = { ...PAGE_HEADERS, Location: '/', 'Set-Cookie': sessionCookie(scope, access) };
  reply(request, response, 303, TEXT_TYPE, 'see /\n', headers);
}

function scopeOf(response: Response): Scope {
  const { scope } = response.locals as Locals;
  if (scope === undefined) throw unauthorized();
  return scope;
}

/** @throws HF_FORBIDDEN when the token is for other namespaces */
function requireScope(response: Response, namespace: string | string[] | undefined): void {
  if (typeof namespace === 'string' && mayRead(scopeOf(response), namespace)) return;
  throw new RequestError(403, 'HF_FORBIDDEN', 'the token is not for that namespace');
}

/**
 * What the token of a request opens; undefined where none is needed.
 * @throws HF_REQUEST_REFUSED, HF_UNAUTHORIZED
 */
function admit(request: IncomingMessage, access: Access): Scope | undefined {
  const url = request.url ?? '';
  if (url.length > LONGEST_URL) {
    throw new RequestError(414, 'HF_REQUEST_REFUSED', `the address is longer than ${LONGEST_URL} characters`);
  }
  if (!isOurHost(request.headers.host, access)) {
    const message =
      'the server does not go by the name in the header Host; HOLDFAST_API_HOSTS lists those that it does';
    throw new RequestError(421, 'HF_REQUEST_REFUSED', message);
  }
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  // The page asks by itself, so that a browser gets a page for an answer.
  if (OPEN.has(path) || FOR_PEOPLE.has(path) || path === SESSION_PATH) return undefined;
  const scope = scopeOfBearer(request, access);
  if (scope === undefined) throw unauthorized();
  return scope;
}

function unauthorized(): RequestError {
  const headers = { 'WWW-Authenticate': 'Bearer realm="holdfast"' };
  return new RequestError(401, 'HF_UNAUTHORIZED', 'this needs the token of the API', { headers });
}

/** Everything that no route answers, and what they throw. */
function refuseTheRest(app: Express): void {
  const paths = [
    ...[...ROUTES, ...DOWNLOADS].map(({ path }) => path),
    '/healthz',
    '/readyz',
    '/metrics',
    '/openapi.json',
    ...FOR_PEOPLE,
  ];
  const readOnly = paths.map((path) => [path, 'GET, HEAD', 'this can only be read: use GET'] as const);
  const forms = [[SESSION_PATH, 'POST', 'this takes the form of the page: use POST'] as const];
  for (const [path, allowed, message] of [...readOnly, ...forms]) {
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (request, response) => {
      response.locals['route'] = path;
      const headers = { Allow: allowed };
      if (request.method === 'OPTIONS') return reply(request, response, 204, TEXT_TYPE, '', headers);
      throw new RequestError(405, 'HF_REQUEST_REFUSED', message, { headers });
    });
  }
  app.use(() => {
    throw new RequestError(404, 'HF_NOT_FOUND', 'nothing is served at that path; /openapi.json lists what is');
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const locals = response.locals as Locals;
    const { problem, headers } = problemOf(error, locals.requestId);
    locals.code = problem.code;
    if (problem.status >= 500) locals.cause = traceOf(error);
    if (response.headersSent) return void response.destroy();
    if (locals.html) {
      const body = refusalPage(problem);
      return reply(request, response, problem.status, 'text/html; charset=utf-8', body, {
        ...PAGE_HEADERS,
        ...headers,
      });
    }
    reply(request, response, problem.status, PROBLEM_TYPE, JSON.stringify(problem), headers);
  });
}

/** What failed, and what that came from: messages of ours and of Postgres hold no rows. */
function traceOf(error: unknown): string {
  const lines = [];
  for (let cause = error; cause instanceof Error && lines.length < 5; cause = cause.cause) lines.push(cause.message);
  return lines.join(' ← ');
}

function requireJson({ headers }: IncomingMessage): void {
  const accepted = headers.accept;
  if (accepted === undefined || /(^|[,\s])(\*\/\*|application\/(json|\*))/i.test(accepted)) return;
  throw new RequestError(406, 'HF_REQUEST_REFUSED', 'this is served as application/json only');
}

function queryOf({ url = '' }: IncomingMessage): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
}

/** The id that a proxy in front gave the request, where it is a plain one. */
function idOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
