import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { candidatesByRiskLevel } from '../../database/candidates/candidates.ts';
import { beginRun, type StartedRun } from '../../database/runs/begin-run.ts';
import { findRun } from '../../database/runs/runs.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import type { BatchContext } from './batch-stage.ts';
import { store } from './store.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const MONDAY = new Date('2026-11-23T02:00:00Z');
const NOW = new Date('2026-11-23T02:00:07.123Z');

let batch: Batch;
let run: StartedRun;
let namespace = 0;
beforeEach(async () => {
  namespace += 1;
  batch = await openBatch();
  run = await begin();
});
afterEach(async () => {
  await run.release();
  await batch[Symbol.asyncDispose]();
});

const begin = () =>
  beginRun(postgres.database, {
    namespace: `n${namespace}`,
    owner: 'churn-prevention',
    run: 'run-1',
    pipeline: 'batch',
    slot: MONDAY,
    trigger: 'schedule',
    revision: 'r',
    startedAt: NOW,
  });

function context(change: Partial<BatchContext> = {}, identity: Partial<BatchContext['identity']> = {}): BatchContext {
  const { owner, run: name, sequence, attempt } = run;
  return batch.context(
    { candidateTTLDays: 30 },
    {
      database: postgres.database,
      identity: {
        namespace: run.namespace,
        owner,
        run: name,
        sequence,
        attempt,
        slot: MONDAY,
        trigger: 'schedule',
        ...identity,
      },
      now: () => NOW,
      ...change,
    },
  );
}

/** Decisions as the offer stage leaves them. */
const decide = (select: string) => batch.input('offer', 'decisions.parquet', select);
const many = (count: number) =>
  decide(`SELECT 'C' || n AS customer_id, 0.9 AS risk_score, 'critical' AS risk_level, 'premium' AS offer_tier, 'discount' AS offer_kind,
    50.0::DOUBLE AS discount, 6 AS duration, true AS include_upgrade, true AS include_personal_call, 'treatment' AS arm, 1 AS epoch,
    ['inactivity'] AS churn_signals FROM range(${count}) AS t(n)`);

const stored = async (table: 'candidates' | 'decisions' | 'current_batches' = 'candidates') =>
  (
    await postgres.database.pool.query(`SELECT * FROM holdfast.${table} WHERE namespace = $1 ORDER BY 1, 2, 3, 4, 5`, [
      run.namespace,
    ])
  ).rows;
const nothing = async () => {
  expect(await stored()).toEqual([]);
  expect(await stored('decisions')).toEqual([]);
  expect(await stored('current_batches')).toEqual([]);
};

test('every value arrives as it was, whatever its text', async () => {
  const ids = [
    'plain',
    'comma,"quote"',
    'line\nbreak\r\n',
    '\\.',
    '\\N',
    'NULL',
    ' spaces ',
    "o'hara",
    'tab\t',
    'ünïcødé 🦊',
    '{"a"}',
  ];
  const values = ids.map((id, index) => `(${index}, '${id.replaceAll("'", "''")}')`).join(', ');
  await decide(
    `SELECT id AS customer_id, id AS marketplace, CASE WHEN n % 2 = 0 THEN '' END AS locale, id AS segment,
       [id, '', 'a\\b', '"'] AS churn_signals, 1e-300::DOUBLE + n AS lifetime_value,
       (0.1::DOUBLE + 0.2::DOUBLE) AS risk_score, 'high' AS risk_level, NULL::VARCHAR AS offer_tier, NULL::VARCHAR AS offer_kind,
       NULL::DOUBLE AS discount, NULL::INTEGER AS duration, NULL::BOOLEAN AS include_upgrade, false AS include_personal_call,
       'holdout' AS arm, 3 AS epoch, CASE n WHEN 0 THEN ['', 'a, b', '{c}', ' '] WHEN 1 THEN [''] WHEN 2 THEN [id] END AS risk_reasons
     FROM (VALUES ${values}) AS t(n, id)`,
  );
  await store(context());
  const rows = new Map((await stored()).map((row) => [row.customer_id, row]));
  expect(new Set(rows.keys())).toEqual(new Set(ids));
  for (const [n, id] of ids.entries()) {
    expect(rows.get(id)).toMatchObject({
      marketplace: id,
      segment: id,
      locale: n % 2 === 0 ? '' : null,
      churn_signals: [id, '', 'a\\b', '"'],
      risk_reasons: [['', 'a, b', '{c}', ' '], [''], [id]][n] ?? null,
      lifetime_value: 1e-300 + n,
      risk_score: 0.1 + 0.2,
      offer_tier: null,
      discount: null,
      duration_months: null,
      include_upgrade: null,
      include_personal_call: false,
      arm: 'holdout',
      epoch: 3,
    });
  }
});

test('columns that the query did not have are missing, and a customer without signals has none', async () => {
  await decide(
    `SELECT 'C1' AS customer_id, 0.5 AS risk_score, 'medium' AS risk_level, 'engagement' AS offer_tier, 'discount' AS offer_kind,
       10.0 AS discount, 1 AS duration, false AS include_upgrade, false AS include_personal_call, 'treatment' AS arm, 1 AS epoch,
       []::VARCHAR[] AS churn_signals, 'rides along' AS extra`,
  );
  await store(context());
  expect(await stored()).toMatchObject([
    { customer_id: 'C1', currency: null, lifetime_value: null, churn_signals: [], duration_months: 1 },
  ]);
});

test('a batch lives its time from now, and is the current one, with a decision for each candidate', async () => {
  await many(3);
  const result = await store(context());
  expect(result).toMatchObject({
    rowsIn: 3,
    rowsOut: 3,
    counts: { candidates: 3, decisions: 3, riskLevels: { critical: 3, high: 0, medium: 0 } },
    artifact: { manifest: { rows: 3, parts: [{ path: 'decisions.parquet', rows: 3 }] } },
  });
  expect(await stored()).toHaveLength(3);
  expect((await stored())[0]).toMatchObject({
    slot: MONDAY,
    created_at: NOW,
    expires_at: new Date(NOW.getTime() + 30 * 86_400_000),
  });
  expect(await stored('decisions')).toMatchObject(
    ['C0', 'C1', 'C2'].map((id) => ({
      customer_id: id,
      period: MONDAY,
      arm: 'treatment',
      offer_tier: 'premium',
      decided_at: NOW,
    })),
  );
  const page = { namespace: run.namespace, owner: run.owner, riskLevel: 'critical', limit: 10, now: NOW };
  expect(await candidatesByRiskLevel(postgres.database, page)).toHaveLength(3);
  expect((await findRun(postgres.database, run))?.publishedAt).toEqual(NOW);
});

test('stored twice is stored once', async () => {
  await many(5);
  await store(context());
  const once = [await stored(), await stored('decisions'), await stored('current_batches')];
  await store(context());
  expect([await stored(), await stored('decisions'), await stored('current_batches')]).toEqual(once);
});

test('a batch of nobody is stored too: the batch before is no longer current', async () => {
  await many(0);
  expect(await store(context())).toMatchObject({ rowsOut: 0, counts: { candidates: 0, decisions: 0 } });
  expect(await stored('current_batches')).toMatchObject([{ run: 'run-1' }]);
});

test('a backfill is stored, and is neither current nor part of the history', async () => {
  await many(2);
  await store(context({}, { trigger: 'backfill' }));
  expect(await stored()).toHaveLength(2);
  expect(await stored('current_batches')).toEqual([]);
  expect((await findRun(postgres.database, run))?.publishedAt).toBeUndefined();
});

test('an older attempt is refused once a newer one has begun, and changes nothing', async () => {
  const older = run;
  await run.release();
  run = await begin();
  await many(2);
  await store(context());
  await many(9);
  await expect(store(context({}, { attempt: older.attempt }))).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  expect(await stored()).toHaveLength(2);
});

test('an interrupt between the last row and the commit leaves nothing, and the stage can be repeated', async () => {
  await many(20_000);
  const controller = new AbortController();
  const progress = (done: number) => done === 20_000 && controller.abort();
  await expect(store(context({ signal: controller.signal, progress }))).rejects.toMatchObject({
    code: 'HF_INTERRUPTED',
  });
  await nothing();
  await store(context());
  expect(await stored('decisions')).toHaveLength(20_000);
});

test('an interrupt in the middle of the load leaves the batch before as it was', async () => {
  await many(3);
  await store(context());
  await many(20_000);
  const controller = new AbortController();
  await expect(store(context({ signal: controller.signal, progress: () => controller.abort() }))).rejects.toMatchObject(
    { code: 'HF_INTERRUPTED' },
  );
  expect(await stored()).toHaveLength(3);
});

test('a connection that is lost before the commit leaves nothing', async () => {
  await many(20_000);
  let lost: Promise<unknown> | undefined;
  const progress = () => {
    lost ??= postgres.database.pool.query(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'COPY%'`,
    );
  };
  await expect(store(context({ progress }))).rejects.toMatchObject({ code: 'HF_DATABASE_UNREACHABLE' });
  await lost;
  await nothing();
});

test('rows that Postgres refuses leave nothing, and the error does not show them', async () => {
  await decide(
    `SELECT 'ada@example.org' AS customer_id, 7.5 AS risk_score, 'high' AS risk_level, 'standard' AS offer_tier, 'discount' AS offer_kind,
       1.0 AS discount, 1 AS duration, true AS include_upgrade, true AS include_personal_call, 'treatment' AS arm, 1 AS epoch, ['a'] AS churn_signals`,
  );
  const error = (await store(context()).then(
    () => undefined,
    (failure: unknown) => failure,
  )) as Error;
  expect(error).toMatchObject({ code: 'HF_DATABASE_FAILED', cause: { constraint: 'candidates_risk_score_check' } });
  expect(`${error.stack} ${JSON.stringify(error.cause)}`).not.toContain('ada@');
  await nothing();
});

test('an artifact that has other rows than it says is refused', async () => {
  await many(3);
  const short = context();
  const artifact = short.inputs['offer'];
  if (artifact === undefined) throw new Error('the batch has no decisions');
  const parts = artifact.manifest.parts.map((part) => ({ ...part, rows: 4 }));
  const inputs = { offer: { ...artifact, manifest: { ...artifact.manifest, parts } } };
  await expect(store({ ...short, inputs })).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
  await nothing();
});

test.each([
  ['a dry run counts and writes nothing', { dryRun: true }],
  ['without a database there is nothing to write to', { database: undefined }],
])('%s', async (_sentence, change) => {
  await many(3);
  expect(await store(context(change))).toEqual({ rowsIn: 3, rowsOut: 3, counts: { candidates: 3, decisions: 3 } });
  await nothing();
});

test('nothing is left in the scratch folder', async () => {
  await many(3);
  await store(context());
  expect(await readdir(context().scratchFolder)).toEqual([]);
});

describe('candidates past their time', () => {
  const old = () =>
    postgres.database.pool.query(
      `INSERT INTO holdfast.candidates (namespace, program, run, customer_id, slot, churn_signals, risk_score, risk_level, arm,
         epoch, created_at, expires_at)
       SELECT $1, $2, 'old', 'C' || n, $3, '{}', 0.9, 'critical', 'treatment', 1, $3, $3 FROM generate_series(1, 3) AS n`,
      [run.namespace, run.owner, new Date('2026-01-05T02:00:00Z')],
    );

  test('go once the batch is published', async () => {
    await old();
    await many(2);
    const { warnings, ...result } = await store(context());
    expect(result).toMatchObject({ rowsIn: 2, rowsOut: 2, counts: { candidates: 2, decisions: 2 } });
    expect(warnings).toBeUndefined();
    expect((await stored()).map(({ run }) => run)).toEqual(['run-1', 'run-1']);
  });

  test('that cannot be deleted are warned of, and the batch is published all the same', async () => {
    await old();
    await many(2);
    await postgres.database.pool.query(`
      CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
      CREATE TRIGGER refuse BEFORE DELETE ON holdfast.candidates FOR EACH ROW WHEN (OLD.run = 'old') EXECUTE FUNCTION public.refuse()`);
    try {
      const { warnings } = await store(context());
      expect(warnings).toEqual([
        {
          code: 'EXPIRED_NOT_DELETED',
          message: expect.stringMatching(/^The batch is published; .*\(HF_DATABASE_FAILED\)\.$/),
        },
      ]);
    } finally {
      await postgres.database.pool.query('DROP FUNCTION public.refuse CASCADE');
    }
    expect(await stored()).toHaveLength(5);
    expect(await stored('current_batches')).toMatchObject([{ run: 'run-1' }]);
  });
});
