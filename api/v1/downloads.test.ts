import { connect as openSocket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { answerOf, openApi, SHOP_TOKEN, storeBatch, type TestApi, TOKEN, weeks } from '../../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { until } from '../../test/support/until.ts';

const CSV = '/v1/namespaces/shop/programs/churn/candidates.csv';
const LINES = '/v1/namespaces/shop/programs/churn/candidates.jsonl';

let postgres: TestPostgres;
let api: TestApi;
let session: string;
beforeAll(async () => {
  postgres = await openPostgres();
  const { database } = postgres;
  await storeBatch(database, { run: 'churn-1', slot: weeks(-1), sequence: 1, customers: 40 });
  await storeBatch(database, { run: 'churn-2', sequence: 2, customers: 2500 });
  await storeBatch(database, { namespace: 'bank', program: 'churn', run: 'bank-1', customers: 20 });
  await storeBatch(database, { program: 'empty', run: 'empty-1', current: false });
  api = await openApi(database);
  session = await sessionOf(SHOP_TOKEN);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

async function sessionOf(token: string): Promise<string> {
  const { headers } = await answerOf(`${api.url}/session`, {
    method: 'POST',
    body: new URLSearchParams({ token }),
  });
  return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

const withSession = (path: string) => api.get(path, { cookie: session });
const ids = (jsonLines: string): string[] =>
  jsonLines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).customer_id);
const csvIds = (csv: string): string[] => [...csv.matchAll(/^"(C\d+)",/gm)].map(([, id = '']) => id);

async function inOrder(where: string): Promise<string[]> {
  const { rows } = await postgres.database.pool.query<{ customer_id: string }>(
    `SELECT customer_id FROM holdfast.candidates WHERE run = 'churn-2' AND ${where} ORDER BY risk_score DESC, customer_id`,
  );
  return rows.map(({ customer_id }) => customer_id);
}

test.each([
  ['', `arm = 'treatment'`],
  ['?riskLevel=critical', `arm = 'treatment' AND risk_level = 'critical'`],
  ['?minScore=0.9&offerKind=upgrade', `arm = 'treatment' AND risk_score >= 0.9 AND offer_kind = 'upgrade'`],
  ['?arm=holdout', `arm = 'holdout'`],
  ['?arm=all', 'true'],
])('the files for "%s" have the whole list, however many pages it is', async (query, where) => {
  const wanted = await inOrder(where);
  const [csv, lines] = [await api.get(`${CSV}${query}`), await api.get(`${LINES}${query}`)];
  expect([csv.status, lines.status]).toEqual([200, 200]);
  expect(csvIds(csv.text)).toEqual(wanted);
  expect(ids(lines.text)).toEqual(wanted);
  const tells = /"arm"|"epoch"|holdout|treatment/;
  expect(tells.test(csv.text) || tells.test(lines.text)).toBe(query.includes('arm='));
});

test('a file has a name, a type, and is kept by nobody; HEAD has the same without it', async () => {
  for (const [path, name, type] of [
    [CSV, 'churn-2.csv', 'text/csv; charset=utf-8; header=present'],
    [LINES, 'churn-2.jsonl', 'application/jsonl; charset=utf-8'],
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const init = { method, headers: { authorization: `Bearer ${TOKEN}` } };
      const { status, headers, text } = await answerOf(`${api.url}${path}`, init);
      expect({ status, empty: text === '' }).toEqual({ status: 200, empty: method === 'HEAD' });
      expect(headers.get('content-type')).toBe(type);
      expect(headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
      expect(headers.get('cache-control')).toBe('no-store');
    }
  }
});

test.each([
  ['without a token', {}, CSV, 401, 'HF_UNAUTHORIZED'],
  [
    'with a token of another namespace',
    { authorization: `Bearer ${SHOP_TOKEN}` },
    CSV.replace('shop', 'bank'),
    403,
    'HF_FORBIDDEN',
  ],
  ['of no such program', undefined, CSV.replace('churn', 'chrun'), 404, 'HF_NOT_FOUND'],
  ['of a program without a batch', undefined, CSV.replace('churn', 'empty'), 404, 'HF_NOT_FOUND'],
  ['with a parameter that is none', undefined, `${CSV}?risk=high`, 400, 'HF_REQUEST_INVALID'],
  ['in pages', undefined, `${CSV}?limit=10`, 400, 'HF_REQUEST_INVALID'],
])('a file %s is refused', async (_name, headers, path, status, code) => {
  const answer = await api.get(path, headers);
  expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code });
});

test('a session opens the list and its files, of its own namespaces alone, and not the API', async () => {
  expect(session).toMatch(/^holdfast_session=/);
  expect((await withSession('/list?program=shop/churn')).status).toBe(200);
  expect(csvIds((await withSession('/list.csv?program=shop/churn')).text)).toEqual(await inOrder(`arm = 'treatment'`));
  const excel = await fetch(`${api.url}/list.csv?program=shop/churn&excel=true&risk=high`, {
    headers: { cookie: session },
  });
  const bytes = new Uint8Array(await excel.arrayBuffer());
  expect([...bytes.slice(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x22]);
  expect(ids((await withSession('/list.jsonl?program=shop/churn&risk=high')).text)).toEqual(
    await inOrder(`arm = 'treatment' AND risk_level = 'high'`),
  );
  for (const path of ['/list', '/list.csv', '/list.jsonl']) {
    for (const program of ['bank/churn', 'bank', 'shop/', 'shop/chrun', '/churn']) {
      const { status } = await withSession(`${path}?program=${program}`);
      expect({ path, program, status }).toEqual({ path, program, status: 404 });
    }
    expect((await api.get(`${path}?program=shop/churn`, {})).status).toBe(401);
    expect((await withSession(`${path}?program=shop/churn&risk=severe`)).status).toBe(400);
  }
  expect((await withSession(CSV)).status).toBe(401);
});

test('a list is found by the name of its program alone, among the namespaces of the reader', async () => {
  const { status, text } = await withSession('/list?program=churn');
  expect([status, shownIds(text)]).toEqual([200, (await inOrder(`arm = 'treatment'`)).slice(0, 50)]);
  expect(text).toContain('/list.csv?program=shop%2Fchurn');
  expect(csvIds((await withSession('/list.csv?program=churn')).text)).toEqual(await inOrder(`arm = 'treatment'`));
  const everywhere = { cookie: await sessionOf(TOKEN) };
  const several = await api.get('/list?program=churn', everywhere);
  expect([several.status, several.text]).toEqual([
    404,
    expect.stringMatching(/program=bank\/churn or .*program=shop\/churn/),
  ]);
  expect((await withSession('/list?program=chrun')).status).toBe(404);
});

/** Ids that a page shows, in order. */
const shownIds = (page: string) => [...page.matchAll(/<bdi>(C\d+)<\/bdi>/g)].map(([, id = '']) => id);

test('the pages of the list show everybody to contact once, in order, and no address or log names anybody', async () => {
  const seen: string[] = [];
  let next: string | undefined = '/list?program=shop%2Fchurn';
  while (next !== undefined) {
    const { status, text } = await withSession(next);
    expect(status).toBe(200);
    seen.push(...shownIds(text));
    expect(
      [...text.matchAll(/(?:href|action)="([^"]*)"/g)].filter(([, to = '']) => /C\d{5}/.test(decodeURIComponent(to))),
    ).toEqual([]);
    next = /<a href="([^"]*)" rel="next">/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  }
  expect(seen).toEqual(await inOrder(`arm = 'treatment'`));
  expect(api.log()).toMatch(/"route":"\/list"/);
  expect(api.log()).not.toMatch(/C\d{5}|churn/);
});

test('a page of a batch that is no longer the current one says so and begins again; one beyond the last is the last', async () => {
  const other = await withSession('/list?program=shop/churn&run=churn-1&page=3');
  expect(other.text).toContain('Another batch has become the current one');
  expect(shownIds(other.text)).toEqual((await inOrder(`arm = 'treatment'`)).slice(0, 50));
  const last = await withSession('/list?program=shop/churn&page=99999');
  expect(last.text).toContain('2,201 to 2,250 of 2,250');
});

test('a download that fails on its way is cut off, so that nobody takes it for whole, and the log says why', async () => {
  await storeBatch(postgres.database, { program: 'moving', run: 'moving-1', customers: 60_000, risk: '0.9' });
  const response = await fetch(`${api.url}/v1/namespaces/shop/programs/moving/candidates.csv`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await postgres.database.pool.query(`DELETE FROM holdfast.candidates WHERE program = 'moving'`);
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  await expect(rest()).rejects.toThrow();
  expect(api.log()).toMatch(/"route":"[^"]*candidates\.csv".*"status":500.*HF_CURSOR_EXPIRED/);
});

test('whoever asks for a list and does not read it is let go, and the memory that it takes with them', async () => {
  await storeBatch(postgres.database, { program: 'unread', run: 'unread-1', customers: 60_000, risk: '0.9' });
  await using own = await openApi(postgres.database, { stalledMs: 300 });
  const socket = openSocket({ host: '127.0.0.1', port: own.port }).on('error', () => {});
  socket
    .pause()
    .write(
      `GET /v1/namespaces/shop/programs/unread/candidates.jsonl?arm=all HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
  await until('the download begins', own.connections, (open) => open === 1, 5000);
  await until('the server lets go', own.connections, (open) => open === 0, 10_000);
  // The line follows the end of the connection.
  await until(
    'the log says so',
    async () => own.log(),
    (text) => /candidates\.jsonl","status":499/.test(text),
    5000,
  );
  socket.destroy();
});

test('so many files of a token are under way at once, and others have turns of their own', async () => {
  const run = 'crowded-1';
  await storeBatch(postgres.database, { program: 'crowded', run, customers: 60_000, risk: '0.9' });
  await using own = await openApi(postgres.database);
  const path = '/v1/namespaces/shop/programs/crowded/candidates.csv';
  const headers = { authorization: `Bearer ${SHOP_TOKEN}` };
  const reading = new AbortController();
  const underWay = await Promise.all(
    Array.from({ length: 4 }, () => fetch(`${own.url}${path}?arm=all`, { headers, signal: reading.signal })),
  );
  expect(underWay.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const refused = await own.get(path, headers);
  expect([refused.status, refused.headers.get('retry-after'), refused.json.code]).toEqual([
    429,
    '10',
    'HF_TOO_MANY_DOWNLOADS',
  ]);
  const { headers: entered } = await answerOf(`${own.url}/session`, {
    method: 'POST',
    body: new URLSearchParams({ token: SHOP_TOKEN }),
  });
  const cookie = (entered.get('set-cookie') ?? '').split(';')[0] ?? '';
  expect((await own.get('/list.csv?program=shop/crowded', { cookie })).status).toBe(429);
  // What is no file goes on, and so does whoever has another token.
  expect((await own.get(path.replace('.csv', ''), headers)).status).toBe(200);
  expect((await own.get(`${path}?minScore=0.95`)).status).toBe(200);
  reading.abort();
  await until(
    'a turn is free again',
    () => own.get(`${path}?minScore=0.95`, headers),
    ({ status }) => status === 200,
    5000,
  );
});
