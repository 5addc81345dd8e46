import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Answer, openApi, storeBatch, type TestApi, weeks } from '../../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { candidate } from './candidate.ts';
import { pageOf } from './schemas.ts';

const CANDIDATES = '/v1/namespaces/shop/programs/churn/candidates';

let postgres: TestPostgres;
let api: TestApi;
beforeAll(async () => {
  postgres = await openPostgres();
  const { database } = postgres;
  // Only five risks, so that each is shared by hundreds of customers and pages end in the midst of equals.
  const risk = '(ARRAY[0.45, 0.62, 0.62, 0.81, 0.97])[1 + n % 5]';
  await storeBatch(database, { run: 'churn-1', slot: weeks(-1), sequence: 1, customers: 400, risk });
  await storeBatch(database, { run: 'churn-2', sequence: 2, customers: 1000, risk });
  await storeBatch(database, { run: 'churn-3', sequence: 3, customers: 300, risk, current: false });
  await storeBatch(database, { program: 'winback', run: 'winback-1', customers: 20 });
  await storeBatch(database, { namespace: 'other', run: 'other-1', customers: 20 });
  await storeBatch(database, { program: 'empty', run: 'empty-1', current: false });
  api = await openApi(database);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const isPage = new Ajv2020({ strict: false, validateFormats: false }).compile(pageOf(candidate, ''));

/** Every page of a list, by its own cursors. */
async function everyPage(path: string): Promise<readonly Answer['json'][]> {
  const pages = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = await api.get(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(page.status).toBe(200);
    expect(isPage(page.json)).toBe(true);
    pages.push(page.json);
    cursor = page.json.nextCursor;
  }
  return pages;
}

async function idsInOrder(where: string): Promise<readonly string[]> {
  const { rows } = await postgres.database.pool.query<{ customer_id: string }>(
    `SELECT customer_id FROM holdfast.candidates
     WHERE namespace = 'shop' AND program = 'churn' AND run = 'churn-2' AND ${where} ORDER BY risk_score DESC, customer_id`,
  );
  return rows.map(({ customer_id }) => customer_id);
}

test.each([
  ['riskLevel=critical', `risk_level = 'critical'`],
  ['riskLevel=high', `risk_level = 'high'`],
  ['', 'true'],
  ['minScore=0.62', 'risk_score >= 0.62'],
  ['riskLevel=critical&minScore=0.9', `risk_level = 'critical' AND risk_score >= 0.9`],
  ['offerKind=upgrade', `offer_kind = 'upgrade'`],
  ['offerTier=standard', `offer_tier = 'standard'`],
  [
    'riskLevel=high&offerKind=discount&offerTier=standard&minScore=0.5',
    `risk_level = 'high' AND offer_kind = 'discount'`,
  ],
  ['offerKind=none-such', 'false'],
  ['arm=treatment', `arm = 'treatment'`],
  ['arm=holdout', `arm = 'holdout'`],
  [
    'arm=holdout&riskLevel=high&offerKind=discount',
    `arm = 'holdout' AND risk_level = 'high' AND offer_kind = 'discount'`,
  ],
  ['arm=all', 'true'],
])('pages of "%s" have every row exactly once, highest risk first, whatever their size', async (query, where) => {
  // Who is held out is not there unless somebody asks for it.
  const wanted = await idsInOrder(query.includes('arm=') ? where : `${where} AND arm = 'treatment'`);
  for (const limit of [1000, 200, 37, 7].filter((size) => size <= 200 && wanted.length / size < 60)) {
    const pages = await everyPage(`${CANDIDATES}?limit=${limit}&${query}`);
    expect(pages.flatMap(({ items }) => items.map(({ customerId }: { customerId: string }) => customerId))).toEqual(
      wanted,
    );
    for (const { items } of pages.slice(0, -1)) expect(items).toHaveLength(limit);
    expect(pages.at(-1).items.length > 0 || wanted.length === 0).toBe(true);
  }
});

test('a page has 50 candidates unless it is told otherwise, and a last page that is full has no next', async () => {
  expect((await api.get(CANDIDATES)).json.items).toHaveLength(50);
  const winback = await api.get('/v1/namespaces/shop/programs/winback/candidates?arm=all&limit=20');
  expect(winback.json.items).toHaveLength(20);
  expect(winback.json.nextCursor).toBeNull();
});

test('nobody who is held out is among those to contact, and nothing of them tells that somebody is', async () => {
  const { rows } = await postgres.database.pool.query<{ customer_id: string; kind: string }>(
    `SELECT customer_id, offer_kind AS kind FROM holdfast.candidates WHERE run = 'churn-2' AND arm = 'holdout'`,
  );
  expect(rows.length).toBeGreaterThan(0);
  const heldOut = new Set(rows.map(({ customer_id }) => customer_id));
  const lists = [
    'limit=200',
    ...['discount', 'upgrade'].map((kind) => `limit=200&offerKind=${kind}&since=${weeks(0).toISOString()}`),
  ];
  for (const list of lists) {
    const items = (await everyPage(`${CANDIDATES}?${list}`)).flatMap((page) => page.items);
    expect(items.length).toBeGreaterThan(0);
    expect(items.filter(({ customerId }: { customerId: string }) => heldOut.has(customerId))).toEqual([]);
    expect(JSON.stringify(items)).not.toMatch(/"arm"|"epoch"|treatment|holdout/);
  }
  for (const customer of [...heldOut].slice(0, 3)) {
    const absent = await api.get(`${CANDIDATES}/C99999`);
    const hidden = await api.get(`${CANDIDATES}/${customer}`);
    expect({ ...hidden.json, requestId: '' }).toEqual({ ...absent.json, requestId: '' });
    expect((await api.get(`${CANDIDATES}/${customer}?arm=treatment`)).status).toBe(404);
    expect((await api.get(`${CANDIDATES}/${customer}?arm=holdout`)).json).toMatchObject({ arm: 'holdout' });
  }
  expect((await api.get(`${CANDIDATES}/C00031?arm=holdout`)).status).toBe(404);
  expect((await api.get(`${CANDIDATES}/C00031`)).json.arm).toBeUndefined();
});

test('a candidate is shown with its risk and its offer, and for analysis whether it is held out', async () => {
  const { status, json } = await api.get(`${CANDIDATES}/C00030?arm=all`);
  expect(status).toBe(200);
  expect(json).toEqual({
    customerId: 'C00030',
    run: 'churn-2',
    slot: '2026-11-23T02:00:00.000Z',
    riskScore: 0.45,
    riskLevel: 'medium',
    riskReasons: ['subscription_tenure below typical', 'streaming_tv_yes'],
    churnSignals: ['inactivity'],
    offer: {
      tier: 'engagement',
      kind: 'upgrade',
      discountPercent: null,
      durationMonths: null,
      upgrade: null,
      personalCall: null,
    },
    arm: 'holdout',
    epoch: 1,
    lifetimeValue: null,
    subscriptionTier: null,
    segment: null,
    marketplace: null,
    currency: null,
    timezone: null,
    locale: null,
    createdAt: '2026-11-23T02:00:00.000Z',
    expiresAt: '2026-12-21T02:00:00.000Z',
  });
});

test('candidates of an offer come by date over all batches, each slot once, without the one never published', async () => {
  const query = `arm=all&offerKind=upgrade&since=${weeks(-2).toISOString()}`;
  const pages = await everyPage(`${CANDIDATES}?${query}&limit=100`);
  const rows = pages.flatMap(({ items }) =>
    items.map((item: { slot: string; run: string; customerId: string }) => item),
  );
  expect(rows.map(({ run }: { run: string }) => run)).toEqual([
    ...Array.from({ length: 133 }, () => 'churn-1'),
    ...Array.from({ length: 333 }, () => 'churn-2'),
  ]);
  const order = rows.map(({ slot, customerId }: { slot: string; customerId: string }) => slot + customerId);
  expect(order).toEqual([...new Set(order)].toSorted());
  const before = await api.get(`${CANDIDATES}?${query}&before=${weeks(0).toISOString()}&limit=200`);
  expect(before.json.items).toHaveLength(133);
});

test('pages go on in the run that they began in when another batch is published meanwhile', async () => {
  const program = { namespace: 'shop', program: 'moving' };
  await storeBatch(postgres.database, { ...program, run: 'moving-1', sequence: 1, customers: 90 });
  const path = '/v1/namespaces/shop/programs/moving/candidates?arm=all&limit=40';
  const first = await api.get(path);
  await storeBatch(postgres.database, { ...program, run: 'moving-2', sequence: 2, customers: 5 });
  const second = await api.get(`${path}&cursor=${first.json.nextCursor}`);
  const third = await api.get(`${path}&cursor=${second.json.nextCursor}`);
  const seen = [first, second, third].flatMap(({ json }) => json.items);
  expect(new Set(seen.map(({ run }) => run))).toEqual(new Set(['moving-1']));
  expect(new Set(seen.map(({ customerId }) => customerId)).size).toBe(90);
  expect((await api.get(path)).json.items).toHaveLength(5);
});

test('pages of a batch that went away end with 410, not as if there were no more', async () => {
  const program = { namespace: 'shop', program: 'pruned' };
  await storeBatch(postgres.database, { ...program, run: 'pruned-1', customers: 90, expiresAt: weeks(1) });
  const path = '/v1/namespaces/shop/programs/pruned/candidates?limit=40';
  const { json } = await api.get(path);
  await using late = await openApi(postgres.database);
  late.setNow(weeks(1));
  expect((await late.get(`${path}&cursor=${json.nextCursor}`)).json).toMatchObject({ code: 'HF_CURSOR_EXPIRED' });
  await postgres.database.pool.query(`DELETE FROM holdfast.candidates WHERE run = 'pruned-1'`);
  const gone = await api.get(`${path}&cursor=${json.nextCursor}`);
  expect(gone.status).toBe(410);
  expect(gone.json).toMatchObject({ status: 410, code: 'HF_CURSOR_EXPIRED' });
});

test('a cursor is taken by the query that it came from, whatever the limit, and by no other', async () => {
  const { nextCursor } = (await api.get(`${CANDIDATES}?riskLevel=critical&limit=10`)).json;
  expect((await api.get(`${CANDIDATES}?riskLevel=critical&limit=20&cursor=${nextCursor}`)).status).toBe(200);
  for (const other of [
    `${CANDIDATES}?riskLevel=high&cursor=${nextCursor}`,
    `${CANDIDATES}?cursor=${nextCursor}`,
    `${CANDIDATES}?riskLevel=critical&arm=all&cursor=${nextCursor}`,
    `${CANDIDATES}?riskLevel=critical&minScore=0.8&cursor=${nextCursor}`,
    `/v1/namespaces/shop/programs/winback/candidates?riskLevel=critical&cursor=${nextCursor}`,
    `/v1/namespaces/other/programs/churn/candidates?riskLevel=critical&cursor=${nextCursor}`,
    `/v1/namespaces/shop/programs/churn/runs?cursor=${nextCursor}`,
  ]) {
    const { status, json } = await api.get(other);
    expect(status).toBe(400);
    expect(json.errors).toEqual([{ parameter: 'cursor', reason: 'belongs to another query: begin again without it' }]);
  }
});

test.each([
  ['a year that Postgres lacks', '+275760-09-13T00:00:00.000Z'],
  ['a year before Christ', '-271821-04-20T00:00:00.000Z'],
  ['words that a Date is made of', 'Mon Nov 23 2026'],
  ['a time without a zone', '2026-11-23T02:00:00.000'],
])('a cursor by date with %s is refused, never an error of the server', async (_name, slot) => {
  const path = `${CANDIDATES}?offerKind=discount&since=2026-01-01T00:00:00Z&limit=2`;
  const { nextCursor } = (await api.get(path)).json;
  const [version, digest, run, , customer] = JSON.parse(Buffer.from(nextCursor, 'base64url').toString());
  const made = Buffer.from(JSON.stringify([version, digest, run, slot, customer])).toString('base64url');
  expect((await api.get(`${path}&cursor=${made}`)).json).toMatchObject({
    status: 400,
    errors: [{ parameter: 'cursor', reason: 'is not a cursor' }],
  });
});

test('an instant whose + was lost in the address says how to write it', async () => {
  const { status, json } = await api.get(`${CANDIDATES}?offerKind=discount&since=2026-11-01T00:00:00+01:00`);
  expect([status, json.errors[0].reason]).toEqual([400, expect.stringMatching(/in an address \+ is written %2B$/)]);
});

test('a cursor that somebody made up is refused, never an error of the server', async () => {
  const { nextCursor } = (await api.get(`${CANDIDATES}?limit=10`)).json;
  const [version, digest, run, risk, customer] = JSON.parse(Buffer.from(nextCursor, 'base64url').toString());
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const made of [
    'x',
    '%00',
    nextCursor.slice(0, -5),
    encoded({}),
    encoded(null),
    encoded([]),
    encoded([2, digest, run, risk, customer]),
    encoded([version, digest, run, risk]),
    encoded([version, digest, run, String(risk), customer]),
    encoded([version, digest, run, null, customer]),
    encoded([version, digest, run, risk, { toString: 1 }]),
    encoded([version, digest, run, risk, 'C\0']),
    encoded([version, digest, run, risk, '\ud800']),
    encoded([version, digest, run, risk, customer, 1]),
    'A'.repeat(2000),
  ]) {
    const { status, json } = await api.get(`${CANDIDATES}?limit=10&cursor=${made}`);
    expect({ made, status, code: json.code }).toEqual({ made, status: 400, code: 'HF_REQUEST_INVALID' });
  }
  const elsewhere = encoded([version, digest, 'other-1', risk, customer]);
  expect((await api.get(`${CANDIDATES}?limit=10&cursor=${elsewhere}`)).status).toBe(410);
});

test.each([
  ['limit=0', 'limit', 'is 0; the least is 1'],
  ['limit=201', 'limit', 'is 201; the most is 200'],
  ['limit=1.5', 'limit', 'expected a whole number, not 1.5'],
  ['limit=', 'limit', 'expected a whole number, not text ""'],
  ['limit=1&limit=2', 'limit', 'is given more than once'],
  ['minScore=NaN', 'minScore', 'expected a number, not text "NaN"'],
  ['minScore=0x1', 'minScore', 'expected a number, not text "0x1" (did you mean 1?)'],
  ['minScore=1.01', 'minScore', 'is 1.01; the most is 1'],
  ['riskLevel=severe', 'riskLevel', 'is text "severe"; it must be one of critical, high, medium'],
  [
    'riskLevel=critcal',
    'riskLevel',
    'is text "critcal"; it must be one of critical, high, medium (did you mean critical?)',
  ],
  ['arm=control', 'arm', 'is text "control"; it must be one of treatment, holdout, all'],
  ['risk_level=high', 'risk_level', 'is not a parameter here (did you mean riskLevel?)'],
  ['offerKind=', 'offerKind', 'must not be empty'],
  ['offerKind=%00', 'offerKind', 'is text "\\u0000", which is not one line without control characters'],
  ['since=2026-11-01T00:00:00Z', 'since', 'needs offerKind'],
  ['before=2026-11-01T00:00:00Z', 'before', 'needs since'],
  ['offerKind=a&since=yesterday', 'since', 'is text "yesterday", which is not an instant such as 2026-11-23T02:00:00Z'],
  ['offerKind=a&since=2026-11-02T00:00:00Z&before=2026-11-02T00:00:00Z', 'before', 'must be after since'],
  [
    'constructor=1',
    'constructor',
    'is not a parameter here; there are riskLevel, minScore, offerKind, offerTier, since, before, arm, limit, cursor',
  ],
  [
    '__proto__=1',
    '__proto__',
    'is not a parameter here; there are riskLevel, minScore, offerKind, offerTier, since, before, arm, limit, cursor',
  ],
])('the query "%s" is refused by name', async (query, parameter, reason) => {
  const { status, headers, json } = await api.get(`${CANDIDATES}?${query}`);
  expect(status).toBe(400);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(json).toMatchObject({ status: 400, code: 'HF_REQUEST_INVALID', errors: [{ parameter, reason }] });
});

test.each([
  ['with terms for one level only', true, "CASE WHEN risk >= 0.8 THEN 'premium' END"],
  ['without offers', false, 'NULL'],
])('of a program %s the list, each customer and the view have the same people', async (name, makesOffers, tier) => {
  const program = makesOffers ? 'partial' : 'scoring';
  const expiresAt = new Date(Date.now() + 86_400_000);
  await storeBatch(postgres.database, { program, run: `${program}-1`, customers: 60, expiresAt, makesOffers, tier });
  const path = `/v1/namespaces/shop/programs/${program}/candidates`;
  const listed = async (query: string) =>
    ((await api.get(`${path}?limit=200${query}`)).json as { items: { customerId: string }[] }).items
      .map(({ customerId }) => customerId)
      .toSorted();
  const { rows } = await postgres.database.pool.query(
    `SELECT customer_id FROM holdfast.outreach_candidates WHERE program = '${program}' ORDER BY 1`,
  );
  const seen = rows.map(({ customer_id }) => customer_id);
  expect(seen.length).toBeGreaterThan(10);
  expect(await listed('')).toEqual(seen);
  const byDate = `&since=${weeks(-1).toISOString()}`;
  const kinds = [...(await listed(`${byDate}&offerKind=upgrade`)), ...(await listed(`${byDate}&offerKind=discount`))];
  expect(kinds.toSorted()).toEqual(seen);
  const treated = await listed('&arm=treatment');
  expect(treated).toHaveLength(54);
  const without = treated.filter((id) => !seen.includes(id));
  expect(without.length > 0).toBe(makesOffers);
  for (const id of [...without.slice(0, 1), ...seen.slice(0, 1)]) {
    const { status } = await api.get(`${path}/${id}`);
    expect({ name, id, status }).toEqual({ name, id, status: seen.includes(id) ? 200 : 404 });
  }
});

test('a customer is found under whatever spelling of the id', async () => {
  const { json } = await api.get(`${CANDIDATES}?limit=1`);
  const [first] = (json as { items: { customerId: string }[] }).items;
  const found = await api.get(`${CANDIDATES}/${encodeURIComponent(` ${first?.customerId}\u200b`)}`);
  expect(found).toMatchObject({ status: 200, json: { customerId: first?.customerId } });
});

test.each([
  ['/v1/namespaces/nowhere/programs', 'no program has run in that namespace'],
  ['/v1/namespaces/nowhere/programs/churn/candidates', 'no program of that name has run in that namespace'],
  ['/v1/namespaces/shop/programs/chrun/candidates', 'no program of that name has run in that namespace'],
  ['/v1/namespaces/shop/programs/chrun/candidates/C00001', 'no program of that name has run in that namespace'],
  ['/v1/namespaces/shop/programs/churn/candidates/C99999', 'the current batch of the program has no such customer'],
  ['/v1/namespaces/shop/programs/empty/candidates/C00001', 'the current batch of the program has no such customer'],
  ['/v1/namespaces/shop/programs/chrun/runs', 'no program of that name has run in that namespace'],
  ['/v1/namespaces/shop/programs/churn/runs/none', 'the program has no run of that name'],
])('%s is not there, and the answer says what is missing', async (path, detail) => {
  const { status, json } = await api.get(path);
  expect(status).toBe(404);
  expect(json).toMatchObject({ status: 404, code: 'HF_NOT_FOUND', detail });
});

test('a program of which nothing is published has no candidates yet', async () => {
  expect((await api.get('/v1/namespaces/shop/programs/empty/candidates')).json).toEqual({
    items: [],
    nextCursor: null,
  });
});

test('SQL in any parameter is text like any other', async () => {
  await postgres.database.pool.query('CREATE TABLE IF NOT EXISTS canary AS SELECT 1 AS alive');
  const { rows: before } = await postgres.database.pool.query('SELECT count(*) FROM holdfast.candidates');
  const attacks = [
    `'; DROP TABLE canary; --`,
    `' OR '1'='1`,
    `"; DROP TABLE canary; --`,
    `$1; DROP TABLE canary`,
    `\\'; DROP TABLE canary; --`,
    `C00001' UNION SELECT * FROM holdfast.candidates --`,
    `{"$ne": null}`,
    '%27%20OR%201=1',
  ];
  for (const attack of attacks) {
    const text = encodeURIComponent(attack);
    for (const path of [
      `/v1/namespaces/${text}/programs`,
      `/v1/namespaces/shop/programs/${text}/candidates`,
      `/v1/namespaces/${text}/programs/churn/candidates/C00001`,
      `${CANDIDATES}/${text}`,
      `/v1/namespaces/shop/programs/churn/runs/${text}`,
      `/v1/namespaces/shop/programs/${text}/runs`,
    ]) {
      expect({ path, status: (await api.get(path)).status }).toEqual({ path, status: 404 });
    }
    for (const parameter of ['riskLevel', 'minScore', 'since', 'before', 'limit', 'cursor', text]) {
      const path = `${CANDIDATES}?${parameter}=${text}`;
      expect({ path, status: (await api.get(path)).status }).toEqual({ path, status: 400 });
    }
    for (const parameter of ['offerKind', 'offerTier']) {
      const { status, json } = await api.get(`${CANDIDATES}?${parameter}=${text}`);
      expect({ status, items: json.items }).toEqual({ status: 200, items: [] });
    }
    expect((await api.get(`/?program=${text}`)).text).not.toContain(attack);
  }
  const { rows: after } = await postgres.database.pool.query('SELECT count(*) FROM holdfast.candidates');
  expect(after).toEqual(before);
  expect((await postgres.database.pool.query('SELECT alive FROM canary')).rows).toEqual([{ alive: 1 }]);
});
