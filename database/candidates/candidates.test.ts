import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import type { Statement } from '../client/statement.ts';
import { transaction } from '../client/transaction.ts';
import { copyDecisionsToCsv, historyQuery, keepDecisions } from '../decisions/decisions.ts';
import { deleteExpiredCandidates, earlierClock } from '../expiry/expired-candidates.ts';
import {
  candidatesByOfferKind,
  candidatesByRiskLevel,
  currentCandidate,
  customerStatement,
  offerStatement,
  riskStatement,
} from './candidates.ts';

const WEEK_MS = 7 * 86_400_000;
const MONDAY = new Date('2026-11-23T02:00:00Z');
const weeks = (n: number) => new Date(MONDAY.getTime() + n * WEEK_MS);
const churn = { namespace: 'shop', owner: 'churn' };

/**
 * Four weekly batches of 2,000 candidates for each of two programs: ids C00001 …, every fifth critical, every
 * third recommended an upgrade. The newest is current; beside it lie a backfill of the same slot and a run that
 * the newest superseded.
 */
let postgres: TestPostgres;
let folder: string;
beforeAll(async () => {
  postgres = await openPostgres();
  folder = await mkdtemp(join(tmpdir(), 'holdfast-candidates-'));
  for (const program of ['churn', 'winback']) {
    for (const week of [-3, -2, -1, 0])
      await storeBatch({ program, run: `${program}-${week}`, slot: weeks(week), sequence: week + 4 });
    await storeBatch({ program, run: `${program}-superseded`, slot: weeks(-1), sequence: 0 });
    await storeBatch({ program, run: `${program}-backfill`, slot: weeks(0), sequence: 9, published: false });
    await makeCurrent(program, `${program}-0`);
  }
  await postgres.database.pool.query('ANALYZE');
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface TestBatch {
  readonly namespace?: string;
  readonly program: string;
  readonly run: string;
  readonly slot?: Date;
  readonly sequence: number;
  readonly published?: boolean;
  readonly customers?: number;
  /** Instead of 30 days after the slot. */
  readonly expiresAt?: Date;
}

async function storeBatch({
  namespace = 'shop',
  program,
  run,
  slot = MONDAY,
  sequence,
  published = true,
  customers = 2000,
  expiresAt,
}: TestBatch) {
  await transaction(postgres.database, { doing: 'make a batch' }, async (client) => {
    await client.query(
      `INSERT INTO holdfast.runs (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase, started_at, published_at)
       VALUES ($7, $1, $2, 'batch', $3, $4, 1, $5, 'r', 'Succeeded', $3, $6)`,
      [program, run, slot, sequence, published ? 'schedule' : 'backfill', published ? slot : null, namespace],
    );
    await client.query(
      `INSERT INTO holdfast.candidates
         (namespace, program, run, customer_id, slot, churn_signals, risk_score, risk_level, offer_tier, offer_kind, arm, epoch, created_at, expires_at)
       SELECT $6, $1, $2, 'C' || lpad(n::text, 5, '0'), $3, '{inactivity}',
         CASE WHEN n % 5 = 0 THEN 0.8 + n % 20 / 100.0 ELSE 0.4 + n % 40 / 100.0 END,
         CASE WHEN n % 5 = 0 THEN 'critical' ELSE 'high' END,
         CASE WHEN n <> 3 THEN 'premium' END, CASE WHEN n % 3 = 0 THEN 'upgrade' ELSE 'discount' END,
         CASE WHEN n % 10 = 0 THEN 'holdout' ELSE 'treatment' END, 1, $3, COALESCE($5, $3::timestamptz + interval '30 days')
       FROM generate_series(1, $4) AS n`,
      [program, run, slot, customers, expiresAt, namespace],
    );
    await keepDecisions(client, { namespace, owner: program, run });
  });
}

const makeCurrent = (program: string, run: string, namespace = 'shop') =>
  postgres.database.pool.query(
    `INSERT INTO holdfast.current_batches
     SELECT namespace, program, slot, sequence, attempt, run FROM holdfast.runs
     WHERE program = $1 AND run = $2 AND namespace = $3`,
    [program, run, namespace],
  );

/** The plan, one line for each node. */
async function plan({ sql, values }: Statement): Promise<string> {
  const { rows } = await postgres.database.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${sql}`, [
    ...values,
  ]);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

test('GSI1, a program by risk level and score, is one index in its order: nothing is sorted', async () => {
  const first = await plan(riskStatement({ ...churn, riskLevel: 'critical', minScore: 0.8, limit: 50, now: MONDAY }));
  expect(first).toContain('Index Scan using candidates_by_risk');
  expect(first).not.toContain('Sort');
  const after = { run: 'churn-0', riskScore: 0.85, customerId: 'C00100' };
  const next = await plan(
    riskStatement({ ...churn, riskLevel: 'critical', minScore: 0.8, after, limit: 50, now: MONDAY }),
  );
  // Merged of two scans, of which each ends with the page: what is sorted is never more than that.
  const lines = next.split('\n');
  const scans = lines.flatMap((line, at) =>
    /Scan .*on candidates/.test(line) ? [[lines[at - 1]?.trim(), line.trim()]] : [],
  );
  expect(scans).toHaveLength(2);
  for (const [parent, scan] of scans) {
    expect(parent).toBe('->  Limit');
    expect(scan).toContain('Index Scan using candidates_by_risk');
  }
});

test('GSI2, a program by offer and date, is one index in its order: no candidate is sorted', async () => {
  const found = await plan(
    offerStatement({ ...churn, offerKind: 'upgrade', since: weeks(-1), before: weeks(1), limit: 50, now: MONDAY }),
  );
  expect(found).toContain('Index Scan using candidates_by_offer');
  // The one sort there may be is that of the few runs, beneath the scan of the candidates.
  expect(found.split('Index Scan using candidates_by_offer')[0]).not.toContain('Sort');
});

test('one customer of a program is one look-up in the primary key', async () => {
  const found = await plan(customerStatement({ ...churn, customer: 'C00042', now: MONDAY }));
  expect(found).toContain('Index Scan using candidates_pkey');
  expect(found).toMatch(/Index Cond: .*customer_id = /);
});

test('the history of offers reads only the decisions of its periods', async () => {
  const sql = historyQuery({ namespace: 'shop', program: 'churn', since: weeks(-9), slot: weeks(-8) });
  expect(await plan({ sql, values: [] })).toMatch(
    /(Index|Bitmap Index) Scan (using|on) decisions_pkey[\s\S]*Index Cond: .*period >= /,
  );
});

test('what has expired is found by an index', async () => {
  const sql = 'SELECT FROM holdfast.candidates WHERE namespace = $1 AND program = $2 AND expires_at <= $3';
  expect(await plan({ sql, values: ['shop', 'churn', weeks(1)] })).toContain('candidates_by_expiry');
});

test('candidates of a risk level come highest risk first, page by page, each once, of the current batch only', async () => {
  const seen: string[] = [];
  let after: { run: string; riskScore: number; customerId: string } | undefined;
  let pages = 0;
  for (;;) {
    const page = await candidatesByRiskLevel(postgres.database, {
      ...churn,
      riskLevel: 'critical',
      minScore: 0.8,
      audience: 'all',
      limit: 250,
      now: MONDAY,
      ...(after ? { after } : {}),
    });
    if (page.length === 0) break;
    pages += 1;
    seen.push(...page.map(({ risk_score, customer_id }) => `${risk_score.toFixed(2)} ${customer_id}`));
    expect(new Set(page.map(({ run }) => run))).toEqual(new Set(['churn-0']));
    const last = page.at(-1);
    after = last && { run: last.run, riskScore: last.risk_score, customerId: last.customer_id };
  }
  expect(pages).toBe(2);
  expect(seen).toHaveLength(400);
  expect(new Set(seen).size).toBe(400);
  expect(seen[0]).toBe('0.95 C00015');
  expect(seen.map((row) => row.slice(0, 4))).toEqual(
    seen
      .map((row) => row.slice(0, 4))
      .toSorted()
      .toReversed(),
  );
});

test('the lowest score asked for is included', async () => {
  const page = await candidatesByRiskLevel(postgres.database, {
    ...churn,
    riskLevel: 'critical',
    minScore: 0.95,
    audience: 'all',
    limit: 1000,
    now: MONDAY,
  });
  expect(page).toHaveLength(100);
});

test('candidates of an offer come by date, of each slot only the batch published last', async () => {
  const all = { audience: 'all', limit: 5000, now: MONDAY } as const;
  const query = { ...churn, ...all, offerKind: 'upgrade', since: weeks(-1), before: weeks(1) };
  const found = await candidatesByOfferKind(postgres.database, query);
  expect(found).toHaveLength(1332);
  expect([...new Set(found.map(({ run }) => run))]).toEqual(['churn--1', 'churn-0']);
  const half = await candidatesByOfferKind(postgres.database, { ...query, limit: 800 });
  const last = half.at(-1);
  const rest = await candidatesByOfferKind(postgres.database, {
    ...query,
    after: { slot: last?.slot ?? MONDAY, run: last?.run ?? '', customerId: last?.customer_id ?? '' },
  });
  expect([...half, ...rest]).toEqual(found);
});

test('one customer is found in the current batch, until it expires', async () => {
  const found = await currentCandidate(postgres.database, { ...churn, customer: 'C00042', now: MONDAY });
  expect(found).toMatchObject({
    run: 'churn-0',
    risk_level: 'high',
    offer_kind: 'upgrade',
    churn_signals: ['inactivity'],
    slot: MONDAY,
  });
  expect(await currentCandidate(postgres.database, { ...churn, customer: 'C00042', now: weeks(5) })).toBeUndefined();
  expect(await currentCandidate(postgres.database, { ...churn, customer: 'nobody', now: MONDAY })).toBeUndefined();
});

test('the history has each offer of a published batch once, held-out ones too, before the slot, and nobody without terms', async () => {
  const file = join(folder, 'decisions.csv');
  const rows = await copyDecisionsToCsv(
    postgres.database,
    { namespace: 'shop', program: 'churn', since: weeks(-2), slot: weeks(0) },
    file,
  );
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.shift()).toBe('customer_id,program_id,offered_at');
  expect(lines).toHaveLength(rows);
  // Two programs, two periods, and in one of them a superseded run that decided the same; of the slot itself only
  // what the other program has decided.
  expect(rows).toBe((2 * 2 + 1) * 1999);
  expect(lines.filter((line) => line.startsWith('"C00010","churn"')).toSorted()).toEqual([
    '"C00010","churn",2026-11-09 02:00:00.000',
    '"C00010","churn",2026-11-16 02:00:00.000',
  ]);
  expect(lines.some((line) => line.startsWith('"C00003"'))).toBe(false);
});

test('the history of another namespace is its own', async () => {
  const file = join(folder, 'other.csv');
  expect(
    await copyDecisionsToCsv(
      postgres.database,
      { namespace: `sh'op`, program: 'churn', since: weeks(-9), slot: weeks(9) },
      file,
    ),
  ).toBe(0);
  expect(await readFile(file, 'utf8')).toBe('customer_id,program_id,offered_at\n');
});

test('the history cannot be written where there is no folder, and no connection is lost by it', async () => {
  const { pool } = postgres.database;
  const history = { namespace: 'shop', program: 'churn', since: weeks(-2), slot: weeks(0) };
  for (let attempt = 0; attempt < pool.options.max + 1; attempt += 1) {
    await expect(copyDecisionsToCsv(postgres.database, history, join(folder, 'none', 'x.csv'))).rejects.toThrow(
      'read the history of offers',
    );
  }
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

const FAR_PAST = new Date('2000-01-03T02:00:00Z');
const FAR_FUTURE = new Date('2500-01-04T02:00:00Z');

/** By the server's clock: one that has expired and one that lives on, the newer of each. */
async function expiringProgram(program: string, namespace = 'shop') {
  const batch = { namespace, program, slot: FAR_PAST, customers: 2, published: false };
  await storeBatch({ ...batch, run: 'expired', sequence: 1, expiresAt: weeks(-999) });
  await storeBatch({ ...batch, run: 'expired-but-current', sequence: 2, expiresAt: weeks(-999) });
  await storeBatch({ ...batch, run: 'live', sequence: 3, expiresAt: FAR_FUTURE });
  await makeCurrent(program, 'expired-but-current', namespace);
}

test.each([
  ['by both clocks', new Date('2400-01-04T02:00:00Z'), 'late', ['live']],
  ['by the clock of the server alone', FAR_PAST, 'early', ['expired', 'expired-but-current', 'live']],
])(
  'what has expired %s goes as it should, of every program of the namespace and of the current batch, never what lives by the server',
  async (_sentence, now, namespace, left) => {
    await expiringProgram('kept', namespace);
    await expiringProgram('deleted', namespace);
    await postgres.database.pool.query(
      "INSERT INTO holdfast.programs VALUES ($1, 'kept', 9), ($1, 'deleted', 9), ($1 || '-other', 'kept', 9)",
      [namespace],
    );
    await expiringProgram('kept', `${namespace}-other`);
    const { signal } = new AbortController();
    const both = await earlierClock(postgres.database, now);
    await deleteExpiredCandidates(postgres.database, { namespace }, both, { signal });
    const runsIn = async (of: string, program: string) =>
      (
        await postgres.database.pool.query(
          'SELECT DISTINCT run FROM holdfast.candidates WHERE namespace = $1 AND program = $2 ORDER BY run',
          [of, program],
        )
      ).rows.map(({ run }) => run);
    expect(await runsIn(namespace, 'kept')).toEqual(left);
    expect(await runsIn(namespace, 'deleted')).toEqual(left);
    expect(await runsIn(`${namespace}-other`, 'kept')).toHaveLength(3);
  },
);

const shown = async (program: string) =>
  (await postgres.database.pool.query('SELECT run FROM holdfast.current_candidates WHERE program = $1', [program]))
    .rows;

test('the view for people shows the current batch, and nothing that has expired', async () => {
  await expiringProgram('viewed');
  expect(await shown('viewed')).toEqual([]);
  await storeBatch({
    program: 'viewed-live',
    run: 'old',
    sequence: 1,
    customers: 2,
    published: false,
    expiresAt: FAR_FUTURE,
  });
  await storeBatch({
    program: 'viewed-live',
    run: 'new',
    sequence: 2,
    customers: 2,
    published: false,
    expiresAt: FAR_FUTURE,
  });
  await makeCurrent('viewed-live', 'new');
  expect(await shown('viewed-live')).toEqual([{ run: 'new' }, { run: 'new' }]);
});

test('the view for people is read through an index, and says of every column what it means', async () => {
  const sql = `SELECT customer_id, risk_score FROM holdfast.current_candidates
    WHERE namespace = $1 AND program = $2 AND risk_level = $3 ORDER BY risk_score DESC LIMIT 50`;
  const read = await plan({ sql, values: ['shop', 'churn', 'critical'] });
  expect(read).toMatch(/Index (Only )?Scan using candidates_by_risk|Bitmap Index Scan on candidates_by_risk/);
  expect(read).not.toMatch(/Seq Scan on candidates/);
  const { rows } = await postgres.database.pool.query<{ column: string; comment: string | null }>(`
    SELECT attname AS column, col_description(attrelid, attnum) AS comment FROM pg_attribute
    WHERE attrelid = 'holdfast.current_candidates'::regclass AND attnum > 0`);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ comment }) => comment === null)).toEqual([]);
});
