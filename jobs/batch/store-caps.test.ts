import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { beginRun, type StartedRun } from '../../database/runs/begin-run.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { until } from '../../test/support/until.ts';
import type { StageResult } from '../run/stage.ts';
import type { BatchContext } from './batch-stage.ts';
import { store, storeStage } from './store.ts';

const MONDAY = new Date('2026-11-23T02:00:00Z');
const LATER_THAT_DAY = new Date('2026-11-23T09:00:00Z');
const TUESDAY = new Date('2026-11-24T02:00:00Z');

const CAP = {
  filterId: 'frequency-cap',
  type: 'business-rule',
  order: 1,
  parameters: { maxOffersPerQuarter: 1 },
} as const;
const cap = (maxOffersPerQuarter: number, quarter: 'rolling' | 'calendar' = 'rolling') => [
  { ...CAP, parameters: { maxOffersPerQuarter, quarter } },
];
const customers = (...ids: number[]) => ids.map((id) => `C${id}`);
const TWENTY = customers(...Array.from({ length: 20 }, (_, index) => 10 + index));

let postgres: TestPostgres;
/** A second process, as a program of its own has one. */
let elsewhere: Database;
beforeAll(async () => {
  postgres = await openPostgres();
  elsewhere = await connect(postgres.url, { applicationName: 'another program' });
});
afterAll(async () => {
  await elsewhere.close();
  await postgres[Symbol.asyncDispose]();
});

let namespace = '';
let number = 0;
let open: (Batch | StartedRun)[] = [];
beforeEach(() => {
  namespace = `n${++number}`;
});
afterEach(async () => {
  for (const each of open) await ('release' in each ? each.release() : each[Symbol.asyncDispose]());
  open = [];
});

interface Program {
  readonly name: string;
  readonly decides?: readonly string[];
  readonly heldOut?: readonly string[];
  readonly filterChain?: RetentionProgramSpec['filterChain'];
  /** Offers that its warehouse knows of: customer, program, when. */
  readonly offers?: readonly (readonly [string, string, string])[];
  readonly slot?: Date;
  readonly trigger?: 'schedule' | 'backfill';
  readonly namespace?: string;
  readonly database?: Database;
  readonly now?: Date;
}

interface Offered {
  readonly batch: Batch;
  readonly context: BatchContext;
}

/** A run that is about to store: it looked at the history when nobody had decided yet. */
async function offered(program: Program): Promise<Offered> {
  const { name, decides = TWENTY, heldOut = [], offers = [], slot = MONDAY, trigger = 'schedule' } = program;
  const database = program.database ?? postgres.database;
  const key = { namespace: program.namespace ?? namespace, owner: name, run: `${name}-1` };
  const run = await beginRun(database, { ...key, pipeline: 'batch', slot, trigger, revision: 'r', startedAt: slot });
  const batch = await openBatch();
  open.push(run, batch);
  const list = (ids: readonly string[]) => `(${ids.map((id) => `'${id}'`).join(', ') || 'NULL'})`;
  await batch.inputs('extract', {
    'candidates.parquet': `SELECT unnest(['${[...decides, 'dropped earlier'].join("', '")}']) AS customer_id, 7 AS visits`,
    'offers.parquet': `SELECT * FROM (VALUES ${[['nobody', 'none', '2026-11-01'], ...offers]
      .map(([customer, of, at]) => `('${customer}', '${of}', TIMESTAMP '${at}')`)
      .join(', ')}) AS t(customer_id, program_id, offered_at)`,
  });
  await batch.input(
    'offer',
    'decisions.parquet',
    `SELECT customer_id, 0.9 AS risk_score, CASE WHEN customer_id < 'C20' THEN 'critical' ELSE 'high' END AS risk_level,
       'premium' AS offer_tier, 'upgrade' AS offer_kind, 50.0::DOUBLE AS discount, 6 AS duration, true AS include_upgrade,
       true AS include_personal_call, CASE WHEN customer_id IN ${list(heldOut)} THEN 'holdout' ELSE 'treatment' END AS arm,
       1 AS epoch, ['inactivity'] AS churn_signals
     FROM (SELECT unnest(['${decides.join("', '")}']) AS customer_id) ORDER BY customer_id`,
    { kinds: { discount: 0, upgrade: decides.length } },
  );
  const identity = { ...key, sequence: run.sequence, attempt: run.attempt, slot, trigger };
  const context = batch.context(
    { programId: name, filterChain: program.filterChain ?? cap(1) },
    { database, identity, now: () => program.now ?? LATER_THAT_DAY },
  );
  return { batch, context };
}

async function decided(name: string, table: 'candidates' | 'decisions' = 'decisions', of = namespace) {
  const { rows } = await postgres.database.pool.query<{ customer_id: string }>(
    `SELECT customer_id FROM holdfast.${table} WHERE namespace = $1 AND program = $2 ORDER BY 1`,
    [of, name],
  );
  return rows.map(({ customer_id }) => customer_id);
}

const waiting = async () =>
  Number(
    (await postgres.database.pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount,
  );

test.each([
  ['one', 'other'],
  ['other', 'one'],
])('two programs that store at once, %s first, decide on nobody twice', async (first, second) => {
  const programs = {
    one: await offered({ name: 'one' }),
    other: await offered({ name: 'other', decides: [...TWENTY, 'C99'], database: elsewhere }),
  };
  const gate = await postgres.database.pool.connect();
  const results: Promise<StageResult>[] = [];
  try {
    await gate.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`holdfast caps ${namespace}`]);
    for (const [index, name] of [first, second].entries()) {
      results.push(store(programs[name as 'one' | 'other'].context));
      await until(`${name} to come to the lock`, waiting, (there) => there === index + 1);
    }
  } finally {
    await gate.query('SELECT pg_advisory_unlock_all()');
    gate.release();
  }
  await Promise.all(results);
  const [early, late] = [await decided(first), await decided(second)];
  expect(early).toEqual(first === 'one' ? TWENTY : [...TWENTY, 'C99']);
  expect(late).toEqual(first === 'one' ? ['C99'] : []);
});

test('who falls out is in no table and no file of the batch, is counted, and is said with the filter', async () => {
  await store((await offered({ name: 'one', decides: customers(10, 11, 20) })).context);
  const { batch, context } = await offered({ name: 'other' });
  const result = await store(context);
  const left = TWENTY.filter((id) => !customers(10, 11, 20).includes(id));
  expect(await decided('other', 'candidates')).toEqual(left);
  expect(await decided('other')).toEqual(left);
  expect(result).toMatchObject({
    rowsIn: 20,
    rowsOut: 17,
    counts: {
      candidates: 17,
      decisions: 17,
      removed: { 'frequency-cap': 3 },
      riskLevels: { critical: 8, high: 9, medium: 0 },
      kinds: { discount: 0, upgrade: 17 },
      arms: { treatment: 17, holdout: 0 },
    },
  });
  const rows = (file: string, select: string) => batch.rows(result.artifact, file, select);
  expect((await rows('decisions.parquet', 'customer_id')).map((row) => row['customer_id'])).toEqual(left);
  expect(await rows('removed.parquet', 'customer_id, filter_id, offers_rolling_quarter AS offers')).toEqual(
    customers(10, 11, 20).map((id) => ({ customer_id: id, filter_id: 'frequency-cap', offers: 1 })),
  );
});

test('where nobody falls out, what was stored is what was offered, to the byte', async () => {
  const { context } = await offered({ name: 'one' });
  const { artifact } = await store(context);
  const bytes = async (folder: string | undefined) => await readFile(`${folder}/decisions.parquet`);
  expect(await bytes(artifact?.folder)).toEqual(await bytes(context.inputs['offer']?.folder));
  expect(artifact?.manifest.parts).toMatchObject([{ rows: 20 }, { path: 'removed.parquet', rows: 0 }]);
});

test('a customer held out by one program has used up the cap as one who gets an offer', async () => {
  await store((await offered({ name: 'one', decides: customers(10, 11), heldOut: customers(10) })).context);
  await store((await offered({ name: 'other', decides: customers(10, 11, 12), heldOut: customers(11) })).context);
  expect(await decided('other')).toEqual(customers(12));
});

test('a repetition stores what the first time stored, whatever others decided in between', async () => {
  await store((await offered({ name: 'one', decides: customers(10, 11) })).context);
  const { context } = await offered({ name: 'other', decides: customers(10, 12, 13) });
  const first = await store(context);
  // Three offers a quarter are fine for this one: it decides on the same customers.
  await store((await offered({ name: 'third', decides: customers(12, 13), filterChain: cap(3) })).context);
  const second = await store(context);
  expect(second).toEqual(first);
  expect(await decided('other')).toEqual(customers(12, 13));
  expect(await decided('third')).toEqual(customers(12, 13));
});

test.each<[string, Partial<Program>, Partial<Program>, readonly string[]]>([
  ['a cap of two leaves room for one more', {}, { filterChain: cap(2) }, customers(10, 11)],
  ['a calendar quarter is counted too', {}, { filterChain: cap(1, 'calendar') }, customers(11)],
  ['another namespace is nobody of ours', { namespace: 'elsewhere' }, {}, customers(10, 11)],
  ['a backfill has decided nothing', { trigger: 'backfill' }, {}, customers(10, 11)],
  ['a backfill is as of its slot, and is not asked again', {}, { trigger: 'backfill' }, customers(10, 11)],
  ['a program without a cap is not asked', {}, { filterChain: [] }, customers(10, 11)],
  ['a slot later in the same week counts when it was stored first', { slot: LATER_THAT_DAY }, {}, customers(11)],
  ['a slot that the clock has not come to does not count', { slot: TUESDAY, now: TUESDAY }, {}, customers(10, 11)],
  [
    'an expression that reads the offers of the quarter is a cap as well',
    {},
    {
      filterChain: [
        {
          filterId: 'own',
          type: 'expression',
          order: 1,
          parameters: { expression: 'offers_rolling_quarter < 1 || visits > 7' },
        },
      ],
    },
    customers(11),
  ],
  [
    'an offer that warehouse and history both know is one',
    {},
    { filterChain: cap(2), offers: [['C10', 'one', '2026-11-23 01:00']], slot: LATER_THAT_DAY },
    customers(10, 11),
  ],
  [
    'an offer that only the warehouse knows counts with those of the history',
    {},
    { filterChain: cap(2), offers: [['C10', 'by-hand', '2026-10-01']] },
    customers(11),
  ],
])('%s', async (_sentence, one, other, expected) => {
  await store((await offered({ name: 'one', decides: customers(10), ...one })).context);
  await store((await offered({ name: 'other', decides: customers(10, 11), ...other })).context);
  expect(await decided('other')).toEqual(expected);
});

test('the wait for other programs has an end, and nothing is stored', async () => {
  const { context } = await offered({ name: 'one' });
  const gate = await elsewhere.pool.connect();
  try {
    await gate.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`holdfast caps ${namespace}`]);
    await expect(storeStage({ lockWaitMs: 20 })(context)).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
    const uncapped = await offered({ name: 'other', filterChain: [] });
    await storeStage({ lockWaitMs: 20 })(uncapped.context);
  } finally {
    await gate.query('SELECT pg_advisory_unlock_all()');
    gate.release();
  }
  expect(await decided('one', 'candidates')).toEqual([]);
  expect(await decided('other')).toHaveLength(20);
  await store(context);
  expect(await decided('one')).toEqual([]);
});
