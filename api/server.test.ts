import { once } from 'node:events';
import { createServer, connect as openSocket, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { connect } from '../database/client/connect.ts';
import { MIGRATIONS } from '../database/migrations/index.ts';
import { migrate } from '../database/migrations/migrate.ts';
import {
  type Answer,
  answerOf,
  openApi,
  rawRequest,
  SHOP_TOKEN,
  storeBatch,
  type TestApi,
  TOKEN,
} from '../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { until } from '../test/support/until.ts';
import { problem } from './http/schemas.ts';
import { Sessions } from './http/sessions.ts';
import { openapiDocument } from './v1/openapi.ts';
import { ROUTES } from './v1/routes.ts';

const BEARER = { authorization: `Bearer ${TOKEN}` };
const CANDIDATES = '/v1/namespaces/shop/programs/churn/candidates';

let postgres: TestPostgres;
let api: TestApi;
beforeAll(async () => {
  postgres = await openPostgres();
  const stages = [
    { name: 'score', rowsIn: 9, rowsOut: 9, seconds: 1, counts: { riskLevels: { critical: 4, high: 5 } } },
  ];
  await storeBatch(postgres.database, { run: 'churn-1', customers: 9, stages });
  api = await openApi(postgres.database);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const isProblem = new Ajv2020({ strict: false }).compile(problem);

test.each([
  ['no token', {}],
  ['another token', { authorization: 'Bearer another-token-that-nobody' }],
  ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ['more than the token', { authorization: `Bearer ${TOKEN}x` }],
  ['the token in other letters', { authorization: `Bearer ${TOKEN.toUpperCase()}` }],
  ['an empty token', { authorization: 'Bearer ' }],
  ['another scheme', { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }],
  ['another cookie', { cookie: `token=${TOKEN}` }],
  ['a wrong session', { cookie: 'holdfast_session=wrong' }],
  ['a session that cannot be read', { cookie: 'holdfast_session=%' }],
  ['the token as a session', { cookie: `holdfast_session=${TOKEN}` }],
])('with %s nothing is answered but whether it lives', async (_name, headers) => {
  const closed = [
    ...ROUTES.map(({ path }) => path.replaceAll(/[{}]/g, '')),
    CANDIDATES,
    '/openapi.json',
    '/none',
    '/%',
  ];
  for (const path of closed) {
    const { status, json, headers: answered } = await api.get(path, headers);
    expect({ path, status, code: json.code }).toEqual({ path, status: 401, code: 'HF_UNAUTHORIZED' });
    expect(answered.get('www-authenticate')).toBe('Bearer realm="holdfast"');
  }
  const page = await api.get('/', headers);
  expect(page.status).toBe(401);
  expect(page.text).toContain('action="/session"');
  for (const path of ['/healthz', '/readyz', '/page.css', '/icon.svg']) {
    expect((await api.get(path, headers)).status).toBe(200);
  }
});

const form = (token: string, headers: Record<string, string> = {}) =>
  answerOf(`${api.url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ token }).toString(),
  });
const cookieOf = ({ headers }: Answer) => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';

test('a browser that shows the token gets a session, which opens the page and is worth no token', async () => {
  const let_in = await form(TOKEN);
  expect([let_in.status, let_in.headers.get('location')]).toEqual([303, '/']);
  const set = let_in.headers.get('set-cookie') ?? '';
  expect(set).toMatch(/^holdfast_session=[\w-]+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
  expect(set).not.toContain(TOKEN);
  const cookie = cookieOf(let_in);
  expect((await api.get('/', { cookie })).status).toBe(200);
  // The cookie goes to every port of the host: whoever listens there must not get a token.
  for (const path of [CANDIDATES, '/metrics', '/openapi.json']) {
    expect({ path, status: (await api.get(path, { cookie })).status }).toEqual({ path, status: 401 });
  }
  const stolen = { authorization: `Bearer ${cookie.split('=')[1]}` };
  expect((await api.get(CANDIDATES, stolen)).status).toBe(401);
});

test.each(['GET', 'PUT', 'OPTIONS'])('%s of the form for sessions says that it is to be posted', async (method) => {
  const { status, headers } = await rawRequest(api.port, { method, path: '/session' });
  expect([status, headers['allow']]).toEqual([method === 'OPTIONS' ? 204 : 405, 'POST']);
});

test('a session ends after twelve hours', async () => {
  await using own = await openApi(postgres.database);
  const cookie = cookieOf(
    await answerOf(`${own.url}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${TOKEN}`,
    }),
  );
  own.setNow(new Date('2026-11-23T21:29:59Z'));
  expect((await own.get('/', { cookie })).status).toBe(200);
  own.setNow(new Date('2026-11-23T21:30:00Z'));
  expect((await own.get('/', { cookie })).status).toBe(401);
});

test('an address lets in one browser, once, and is not used up by whoever only looks at it', async () => {
  const sessions = new Sessions(
    () => new Date(0),
    () => 'a-key-of-this-test',
  );
  await using own = await openApi(postgres.database, {
    access: { grants: [], hosts: [], cookie: 'holdfast_session', sessions },
  });
  const key = sessions.oneTimeKey('every');
  expect((await answerOf(`${own.url}/?key=${key}`, { method: 'HEAD' })).status).toBe(401);
  const first = await own.get(`/?key=${key}`, {});
  expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
  expect((await own.get('/', { cookie: cookieOf(first) })).status).toBe(200);
  const second = await own.get(`/?key=${key}`, {});
  expect([second.status, second.headers.get('set-cookie')]).toEqual([401, null]);
});

test.each([
  ['a wrong token', () => form('wrong'), 401],
  ['an empty one', () => form(''), 401],
  ['a form of a page elsewhere', () => form(TOKEN, { origin: 'http://evil.example' }), 403],
  ['a form of another port of this host', () => form(TOKEN, { origin: 'http://127.0.0.1:1' }), 403],
  ['a form that a browser sends without saying from where', () => form(TOKEN, { 'sec-fetch-site': 'cross-site' }), 403],
  ['a form too large', () => form('x'.repeat(5000)), 413],
  ['a form that is packed', () => form(TOKEN, { 'content-encoding': 'gzip' }), 400],
  ['the token in the address', () => api.get(`/?token=${TOKEN}`, {}), 401],
])('%s begins no session', async (_name, ask, status) => {
  const answer = await ask();
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([status, null]);
  expect(answer.text).not.toContain(TOKEN);
});

test('the page of a program elsewhere, and everything of another namespace, is closed to a token of one namespace', async () => {
  const shop = { authorization: `Bearer ${SHOP_TOKEN}` };
  await storeBatch(postgres.database, { namespace: 'bank', program: 'savers', run: 'savers-1', customers: 3 });
  expect((await api.get(CANDIDATES, shop)).status).toBe(200);
  for (const route of ROUTES) {
    const path = route.path
      .replace('{namespace}', 'bank')
      .replace('{program}', 'savers')
      .replaceAll(/\{\w+\}/g, 'x');
    const { status, json } = await api.get(path, shop);
    expect({ path, status, code: json.code }).toEqual({ path, status: 403, code: 'HF_FORBIDDEN' });
  }
  const [all, own] = [await api.get('/metrics'), await api.get('/metrics', shop)];
  expect(all.text).toContain('namespace="bank"');
  expect(own.text).toContain('namespace="shop"');
  expect(own.text).not.toContain('namespace="bank"');
  const cookie = cookieOf(await form(SHOP_TOKEN));
  expect((await api.get('/', { cookie })).text).not.toContain('savers');
  expect((await api.get('/?program=bank/savers', { cookie })).text).not.toMatch(/Batch as of/);
  expect((await api.get('/?program=bank/savers')).text).toMatch(/Batch as of/);
});

test('a request that does not arrive whole is answered 408, and its connection is closed though the client keeps it', async () => {
  await using own = await openApi(postgres.database, { requestMs: 200 });
  const socket = openSocket({ host: '127.0.0.1', port: own.port, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  await once(socket, 'end');
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
  await until('the server lets go', own.connections, (open) => open === 0, 5000);
  socket.destroy();
});

test('a name that is not ours is refused, so that no page elsewhere can have its own name point here', async () => {
  const asked = async (host: string, path = '/healthz') => {
    const { status } = await rawRequest(api.port, { path, headers: { host, ...BEARER } });
    return status;
  };
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost:1:2',
    'localhost@evil.example',
    'notholdfast.example',
    'evil.holdfast.example',
    'holdfast.example.evil.com',
    'xlocalhost',
  ]) {
    expect({ host, status: await asked(host) }).toEqual({ host, status: 421 });
    expect(await asked(host, CANDIDATES)).toBe(421);
  }
  for (const host of [
    'localhost',
    `LOCALHOST:${api.port}`,
    '127.0.0.1',
    '[::1]:8080',
    '10.1.2.3:8080',
    'holdfast.example',
  ]) {
    expect({ host, status: await asked(host) }).toEqual({ host, status: 200 });
  }
});

test.each([
  ['POST', CANDIDATES],
  ['DELETE', `${CANDIDATES}/C00001`],
  ['PUT', '/'],
  ['PATCH', '/metrics'],
])('%s %s is not allowed, and the answer says what is', async (method, path) => {
  const { status, headers, text } = await rawRequest(api.port, { method, path, headers: BEARER });
  expect(status).toBe(405);
  expect(headers['allow']).toBe('GET, HEAD');
  expect(JSON.parse(text)).toMatchObject({ status: 405, code: 'HF_REQUEST_REFUSED' });
});

test('OPTIONS tells what is allowed', async () => {
  const { status, headers } = await rawRequest(api.port, { method: 'OPTIONS', path: CANDIDATES, headers: BEARER });
  expect({ status, allow: headers['allow'] }).toEqual({ status: 204, allow: 'GET, HEAD' });
});

test('HEAD has the head of GET and nothing else', async () => {
  for (const path of [CANDIDATES, `${CANDIDATES}/C00001`, '/', '/metrics', '/healthz', '/none']) {
    const get = await api.get(path);
    const head = await rawRequest(api.port, { method: 'HEAD', path, headers: BEARER });
    expect({ path, status: head.status, text: head.text }).toEqual({ path, status: get.status, text: '' });
    if (path !== '/metrics') expect(head.headers['content-length']).toBe(get.headers.get('content-length'));
  }
});

test.each([
  ['an address that is too long', { path: `/${'a'.repeat(5000)}` }, 414, 'HF_REQUEST_REFUSED'],
  [
    'a head that is too large',
    { path: '/', headers: { ...BEARER, 'x-large': 'a'.repeat(17_000) } },
    431,
    'HF_REQUEST_REFUSED',
  ],
  ['an escape that is none', { path: `${CANDIDATES}/%E0%A4%A`, headers: BEARER }, 400, 'HF_REQUEST_INVALID'],
  ['an escape that is no UTF-8', { path: `${CANDIDATES}/%ff`, headers: BEARER }, 400, 'HF_REQUEST_INVALID'],
  ['a NUL', { path: `${CANDIDATES}/C%00`, headers: BEARER }, 400, 'HF_REQUEST_INVALID'],
  ['an id that is too long', { path: `${CANDIDATES}/${'C'.repeat(300)}`, headers: BEARER }, 400, 'HF_REQUEST_INVALID'],
  [
    'another media type',
    { path: CANDIDATES, headers: { ...BEARER, accept: 'text/csv, image/png' } },
    406,
    'HF_REQUEST_REFUSED',
  ],
  ['a path that is not served', { path: '/v2', headers: BEARER }, 404, 'HF_NOT_FOUND'],
  ['a path in other letters', { path: CANDIDATES.toUpperCase(), headers: BEARER }, 404, 'HF_NOT_FOUND'],
  ['a way out of the folder', { path: '/../../etc/passwd', headers: BEARER }, 404, 'HF_NOT_FOUND'],
])('%s is a problem with its own status', async (_name, request, status, code) => {
  const answer = await rawRequest(api.port, request);
  expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
    status,
    type: 'application/problem+json; charset=utf-8',
  });
  const document = JSON.parse(answer.text);
  expect(document).toMatchObject({ status, code, type: `urn:holdfast:error:${code}` });
  expect(isProblem(document)).toBe(true);
});

test('what is no request of HTTP is refused and its connection ended', async () => {
  const socket = openSocket(api.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  socket.write('BREW /coffee HTCPCP/1.0\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*application\/problem\+json[\s\S]*HF_REQUEST_REFUSED/);
});

test('every answer says that it is not to be kept, framed or guessed at, and not what made it', async () => {
  for (const path of [CANDIDATES, '/', '/healthz', '/metrics', '/none']) {
    const { headers } = await api.get(path);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // The page has a form, of which a browser says where it comes from only so; other hosts learn nothing.
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': path === '/' ? 'same-origin' : 'no-referrer',
      'content-security-policy': expect.stringContaining(`default-src 'none'`),
    });
    for (const name of ['x-powered-by', 'server', 'etag']) expect(headers.has(name)).toBe(false);
  }
});

test('a request keeps the id that a proxy gave it, where it is one', async () => {
  const idOf = async (id: string) => {
    const { headers } = await rawRequest(api.port, { path: '/none', headers: { ...BEARER, 'x-request-id': id } });
    return headers['x-request-id'];
  };
  expect(await idOf('abc-123.X_9')).toBe('abc-123.X_9');
  for (const id of ['a b', '"><script>', 'x'.repeat(65)]) expect(await idOf(id)).toMatch(/^[\da-f-]{36}$/);
  const { headers, json } = await api.get('/none');
  expect(json.requestId).toBe(headers.get('x-request-id'));
});

/** A proxy on this machine speaks for everybody. */
test('metrics need the token, from this machine too', async () => {
  await using own = await openApi(postgres.database);
  const refused = await own.get('/metrics', {});
  expect([refused.status, refused.text.includes('holdfast_')]).toEqual([401, false]);
});

test('metrics name routes by their template, and nobody', async () => {
  await using own = await openApi(postgres.database);
  await own.get(`${CANDIDATES}/C00007`);
  await own.get(`${CANDIDATES}/C00007`, {});
  await own.get('/secret-path');
  const { text, headers } = await own.get('/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const route = '/v1/namespaces/{namespace}/programs/{program}/candidates/{customer}';
  expect(text).toContain(`holdfast_api_http_requests_total{method="GET",route="${route}",status="200"} 1\n`);
  expect(text).toContain(`holdfast_api_http_requests_total{method="GET",route="none",status="401"} 1\n`);
  expect(text).toContain(`holdfast_api_http_request_duration_seconds_count{route="${route}"} 1\n`);
  expect(text).toContain('holdfast_api_http_requests_in_flight 1\n');
  expect(text).toContain('holdfast_build_info{version="1.2.3"} 1\n');
  expect(text).toContain('holdfast_api_database_up 1\n');
  expect(text).toMatch(/holdfast_api_database_connections\{state="idle"\} \d/);
  expect(text).toContain(
    'holdfast_current_batch_candidates{namespace="shop",program="churn",risk_level="critical"} 4\n',
  );
  expect(text).toContain(
    'holdfast_current_batch_published_timestamp_seconds{namespace="shop",program="churn"} 1795399200\n',
  );
  expect(text).toContain('holdfast_last_run_failed{namespace="shop",program="churn"} 0\n');
  expect(text).not.toMatch(/C00007|secret-path/);
});

test('the log has one JSON object for each request, and nobody in it', async () => {
  await using own = await openApi(postgres.database);
  await own.get(`${CANDIDATES}/C00007?x=C00008`);
  await own.get(`${CANDIDATES}/C00007`);
  const lines = own
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { level: 'info', message: 'request', method: 'GET', status: 400, code: 'HF_REQUEST_INVALID' },
    { route: '/v1/namespaces/{namespace}/programs/{program}/candidates/{customer}', status: 200 },
  ]);
  expect(own.log()).not.toMatch(/C0000|a-token/);
});

test('the documentation has every route, in OpenAPI 3.1, and refers to nothing that is not there', async () => {
  const { json } = await api.get('/openapi.json');
  expect(json).toEqual(JSON.parse(JSON.stringify(openapiDocument('1.2.3'))));
  expect(json.openapi).toBe('3.1.0');
  expect(Object.keys(json.paths)).toEqual(expect.arrayContaining(ROUTES.map(({ path }) => path)));
  const references = [...JSON.stringify(json).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) =>
    path.split('/'),
  );
  expect(references.length).toBeGreaterThan(20);
  for (const path of references) expect(path.reduce((at, step) => at?.[step], json)).toBeDefined();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...json, $id: 'openapi' });
  const { items } = (await api.get('/v1/namespaces/shop/programs/churn/runs')).json;
  expect(ajv.validate('openapi#/components/schemas/RunPage', { items, nextCursor: null })).toBe(true);
  expect(ajv.validate('openapi#/components/schemas/RunPage', { items: [{}], nextCursor: null })).toBe(false);
  const programs = (await api.get('/v1/namespaces/shop/programs')).json;
  expect(programs.items).toMatchObject([{ name: 'churn', currentBatch: { name: 'churn-1' } }]);
  expect(ajv.validate('openapi#/components/schemas/ProgramList', programs)).toBe(true);
});

test('runs come newest first, page by page', async () => {
  const program = { namespace: 'shop', program: 'many' };
  for (let sequence = 1; sequence <= 7; sequence++) {
    await storeBatch(postgres.database, { ...program, run: `many-${sequence}`, sequence, current: sequence < 7 });
  }
  const warnings = [
    { stage: null, code: 'NOT_REUSED', message: 'is gone' },
    { stage: 'score', code: 'SCORES_ALL_ONE', message: 'all one' },
  ];
  const score = { name: 'score', rowsIn: 9, rowsOut: 9, seconds: 1, counts: {} };
  await postgres.database.pool.query(
    `UPDATE holdfast.runs SET retry_of = 'many-6', warnings = $1, stages = $2 WHERE run = 'many-7'`,
    [JSON.stringify(warnings), JSON.stringify([score])],
  );
  const seen = [];
  let cursor = '';
  do {
    const { json } = await api.get(`/v1/namespaces/shop/programs/many/runs?limit=3${cursor}`);
    seen.push(...json.items.map(({ name }: { name: string }) => name));
    cursor = json.nextCursor === null ? '' : `&cursor=${json.nextCursor}`;
  } while (cursor !== '');
  expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map((sequence) => `many-${sequence}`));
  const { json } = await api.get('/v1/namespaces/shop/programs/many/runs/many-7');
  expect(json).toMatchObject({ name: 'many-7', sequence: 7, retryOf: 'many-6', publishedAt: null, error: null });
  expect([json.warnings, json.stages]).toEqual([warnings, [{ ...score, warnings: ['all one'] }]]);
});

/** A way to Postgres that a test can close, or let go silent. */
async function openGate(): Promise<{ url: string; mode: 'open' | 'closed' | 'silent'; close(): Promise<void> }> {
  const folder = new URL(postgres.url).searchParams.get('host') ?? '';
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    if (gate.mode === 'closed') return void client.destroy();
    const upstream = openSocket(`${folder}/.s.PGSQL.5432`);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => gate.mode === 'open' && to.write(chunk));
      from.on('error', () => {}).on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const gate = {
    url: `postgresql://holdfast@127.0.0.1:${port}/postgres`,
    state: 'open' as 'open' | 'closed' | 'silent',
    get mode() {
      return this.state;
    },
    set mode(mode) {
      this.state = mode;
      if (mode === 'closed') for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return gate;
}

const LIMITS = { connectMs: 1000, statementMs: 1000, useMs: 500 };

test.each(['closed', 'silent'] as const)('while Postgres is %s it says so, and comes back by itself', async (mode) => {
  const gate = await openGate();
  const database = await connect(gate.url, { applicationName: 'away', readOnly: true, maximum: 2, limits: LIMITS });
  const own = await openApi(database);
  try {
    expect((await own.get(`${CANDIDATES}/C00001`)).status).toBe(200);
    gate.mode = mode;
    const answers = await Promise.all(Array.from({ length: 6 }, () => own.get(`${CANDIDATES}/C00001`)));
    for (const { status, headers, json } of answers) {
      expect({ status, code: json.code }).toEqual({ status: 503, code: 'HF_DATABASE_UNREACHABLE' });
      expect(headers.get('retry-after')).toBe('2');
    }
    const ready = await own.get('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.text).toMatch(/^waiting for Postgres: HF_DATABASE_UNREACHABLE: /);
    expect((await own.get('/healthz')).status).toBe(200);
    expect((await own.get('/metrics')).text).toContain('holdfast_api_database_up 0\n');
    const page = await own.get('/');
    expect(page.status).toBe(503);
    expect(page.text).toContain('<h1>Not available at the moment</h1>');
    gate.mode = 'open';
    await until(
      'ready again',
      () => own.get('/readyz'),
      ({ status }) => status === 200,
    );
    expect((await own.get(`${CANDIDATES}/C00001`)).status).toBe(200);
  } finally {
    await own[Symbol.asyncDispose]();
    await database.close();
    await gate.close();
  }
});

test('a statement that takes too long is given up, and its connection is good for the next', async () => {
  const database = await connect(postgres.url, {
    applicationName: 'slow',
    maximum: 1,
    limits: { ...LIMITS, statementMs: 300, useMs: 5000 },
  });
  const own = await openApi(database);
  const blocker = await postgres.database.pool.connect();
  try {
    await blocker.query('BEGIN; LOCK TABLE holdfast.candidates IN ACCESS EXCLUSIVE MODE');
    const { status, json } = await own.get(`${CANDIDATES}/C00001`);
    expect({ status, code: json.code }).toEqual({ status: 504, code: 'HF_DATABASE_FAILED' });
    await blocker.query('ROLLBACK');
    expect((await own.get(`${CANDIDATES}/C00001`)).status).toBe(200);
  } finally {
    blocker.release(true);
    await own[Symbol.asyncDispose]();
    await database.close();
  }
});

test('a database without tables is not ready, and everything says what to do', async () => {
  await postgres.database.pool.query('CREATE DATABASE bare');
  const url = postgres.url.replace('/postgres?', '/bare?');
  const database = await connect(url, { applicationName: 'bare', readOnly: true });
  const own = await openApi(database);
  try {
    expect((await own.get('/readyz')).text).toMatch(/^waiting for Postgres: HF_NOT_MIGRATED: /);
    const { status, json } = await own.get(CANDIDATES);
    expect({ status, code: json.code }).toEqual({ status: 503, code: 'HF_NOT_MIGRATED' });
    expect((await own.get('/')).text).toContain('holdfast run examples/churn-prevention.yaml');
    const writing = await connect(url, { applicationName: 'bare' });
    await migrate(writing, MIGRATIONS.slice(0, 1));
    await writing.close();
    // What an earlier version stored is not nothing.
    const page = await own.get('/');
    expect(page).toMatchObject({ status: 503, text: expect.stringContaining('those of an earlier version') });
  } finally {
    await own[Symbol.asyncDispose]();
    await database.close();
  }
});

test('told to stop it is not ready first, answers what is under way, and then lets nobody in', async () => {
  const own = await openApi(postgres.database, { drainSeconds: 1 });
  const blocker = await postgres.database.pool.connect();
  try {
    await blocker.query('BEGIN; LOCK TABLE holdfast.candidates IN ACCESS EXCLUSIVE MODE');
    const waiting = own.get(`${CANDIDATES}/C00001`);
    await until(
      'the request waits in Postgres',
      () => postgres.database.pool.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`),
      ({ rowCount }) => rowCount === 1,
    );
    const stopped = own.stop();
    const ready = await own.get('/readyz');
    expect({ status: ready.status, text: ready.text }).toEqual({ status: 503, text: 'waiting for its end\n' });
    expect(ready.headers.get('connection')).toBe('close');
    await until(
      'nobody is let in',
      () => answerOf(`${own.url}/healthz`, {}).catch(() => 'refused'),
      (answer) => answer === 'refused',
    );
    await blocker.query('ROLLBACK');
    expect((await waiting).status).toBe(200);
    await stopped;
  } finally {
    blocker.release(true);
    await own.stop();
  }
});

test('what goes wrong inside is told to the log alone', async () => {
  const now = () => {
    throw new Error('a secret of the inside');
  };
  await using own = await openApi(postgres.database, { now });
  const { status, text, json } = await own.get(CANDIDATES);
  expect([status, json.code, json.detail]).toEqual([500, 'HF_INTERNAL', 'something failed here']);
  expect(text).not.toContain('secret');
  expect(own.log()).toContain('a secret of the inside');
});
