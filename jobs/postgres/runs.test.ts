import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { beginRun, type NewRun } from './begin-run.ts';
import { connect } from './connect.ts';
import { type Batch, claimRun, publishBatch } from './publish.ts';
import { currentRun, findRun, finishRun, lastExtractRows, recordStage } from './runs.ts';
import { transaction } from './transaction.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

/** Every test has a namespace of its own. */
let namespace = 0;
beforeEach(() => {
  namespace += 1;
});

const MONDAY = new Date('2026-11-23T02:00:00Z');
const NEXT_MONDAY = new Date('2026-11-30T02:00:00Z');
const database = () => postgres.database;
const program = () => ({ namespace: `n${namespace}`, program: 'churn' });

const request = (change: Partial<NewRun> = {}): NewRun => ({
  ...program(),
  run: (sequence) => `churn-${sequence}`,
  pipeline: 'batch',
  slot: MONDAY,
  trigger: 'schedule',
  revision: 'r1',
  startedAt: MONDAY,
  ...change,
});

async function succeed(change: Partial<NewRun>, extracted: number) {
  const run = await beginRun(database(), request(change));
  await recordStage(database(), run, {
    name: 'extract',
    rowsIn: extracted + 3,
    rowsOut: extracted,
    seconds: 1,
    counts: {},
  });
  await finishRun(database(), run, { phase: 'Succeeded', finishedAt: MONDAY });
  await run.release();
  return run;
}

test('runs of a program are numbered one after the other, those of another program on their own', async () => {
  expect((await succeed({}, 1)).sequence).toBe(1);
  expect(await succeed({}, 1)).toMatchObject({ run: 'churn-2', sequence: 2, attempt: 1, interrupted: [] });
  expect((await succeed({ program: 'winback' }, 1)).sequence).toBe(1);
});

test('a number is not given out again when its run is gone', async () => {
  await succeed({}, 1);
  await database().pool.query('DELETE FROM holdfast.runs WHERE namespace = $1', [program().namespace]);
  expect((await succeed({}, 1)).sequence).toBe(2);
});

test('a second run of the program is refused while the first is under way, and only then', async () => {
  const first = await beginRun(database(), request());
  await expect(beginRun(database(), request())).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  const other = await beginRun(database(), request({ program: 'winback' }));
  await other.release();
  await first.release();
  await (await beginRun(database(), request())).release();
  expect((await findRun(database(), { ...program(), run: 'churn-1' }))?.phase).toBe('Interrupted');
});

test('a run whose process is gone is Interrupted once the next begins, and can write no more', async () => {
  const process = await connect(postgres.url, { applicationName: 'a process that dies' });
  const lost = await beginRun(process, request());
  await database().pool.query(
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'a process that dies'`,
  );

  const next = await beginRun(database(), request());
  expect(next.interrupted).toEqual(['churn-1']);
  await recordStage(database(), lost, { name: 'extract', rowsIn: 1, rowsOut: 1, seconds: 1, counts: {} });
  await finishRun(database(), lost, { phase: 'Succeeded', finishedAt: MONDAY });
  expect(await findRun(database(), lost)).toMatchObject({ phase: 'Interrupted', stages: [] });
  await expect(transaction(database(), { doing: 'claim' }, (client) => claimRun(client, lost))).rejects.toMatchObject({
    code: 'HF_DATA_LOCKED',
  });
  await lost.release();
  await next.release();
  await process.close();
});

test('a run of a name that has run is its next attempt, and an attempt before can write no more', async () => {
  const first = await succeed({ run: 'by-hand' }, 10);
  const second = await beginRun(database(), request({ run: 'by-hand' }));
  expect(second).toMatchObject({ run: 'by-hand', sequence: first.sequence, attempt: 2 });
  expect(await findRun(database(), second)).toMatchObject({ phase: 'Running', stages: [], finishedAt: undefined });
  await finishRun(database(), first, { phase: 'Failed', finishedAt: MONDAY });
  expect((await findRun(database(), second))?.phase).toBe('Running');
  const claim = (attempt: number) =>
    transaction(database(), { doing: 'claim' }, (client) => claimRun(client, { ...second, attempt }));
  await expect(claim(1)).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  await claim(2);
  await second.release();
});

test('the slot of a name never changes, and the refusal gives the program free', async () => {
  await succeed({ run: 'by-hand' }, 10);
  const moved = beginRun(database(), request({ run: 'by-hand', slot: NEXT_MONDAY }));
  await expect(moved).rejects.toMatchObject({ code: 'HF_MANIFEST_INVALID' });
  await (await beginRun(database(), request())).release();
});

test('what the stages reported is kept in order, and a repeated stage replaces its report', async () => {
  const run = await beginRun(database(), request());
  const report = { rowsIn: 9, rowsOut: 8, seconds: 0.5, counts: { rejected: 1, reasons: { nan: 1 } } };
  await recordStage(database(), run, {
    ...report,
    name: 'extract',
    warnings: Array.from({ length: 30 }, (_, i) => `warning ${i}`),
  });
  await recordStage(database(), run, { ...report, name: 'filter' });
  await recordStage(database(), run, { ...report, name: 'filter', rowsOut: 7 });
  await finishRun(database(), run, {
    phase: 'Failed',
    finishedAt: NEXT_MONDAY,
    error: { code: 'HF_INTERNAL', message: 'odd' },
  });
  await run.release();
  const found = await findRun(database(), run);
  // A run that failed is nobody's current one.
  expect(await currentRun(database(), program())).toBeUndefined();
  expect(found?.stages.map(({ name, rowsOut }) => [name, rowsOut])).toEqual([
    ['extract', 8],
    ['filter', 7],
  ]);
  expect(found?.stages[0]?.warnings).toHaveLength(20);
  expect(found?.stages[1]).toEqual({ ...report, name: 'filter', rowsOut: 7 });
  expect(found).toMatchObject({
    slot: MONDAY,
    sequence: 1,
    trigger: 'schedule',
    revision: 'r1',
    startedAt: MONDAY,
    finishedAt: NEXT_MONDAY,
    phase: 'Failed',
    error: { code: 'HF_INTERNAL', message: 'odd' },
    publishedAt: undefined,
  });
});

test('there is no newest run and no last extract before the first', async () => {
  expect(await currentRun(database(), program())).toBeUndefined();
  expect(await lastExtractRows(database(), program())).toBeUndefined();
});

test('the last extract is that of the newest slot that succeeded, not of a failed run or a backfill', async () => {
  await succeed({ slot: NEXT_MONDAY }, 1000);
  await succeed({ slot: MONDAY }, 500);
  await succeed({ slot: NEXT_MONDAY, trigger: 'backfill' }, 7);
  const failed = await beginRun(database(), request({ slot: NEXT_MONDAY }));
  await recordStage(database(), failed, { name: 'extract', rowsIn: 1, rowsOut: 1, seconds: 1, counts: {} });
  await finishRun(database(), failed, { phase: 'Failed', finishedAt: NEXT_MONDAY });
  await failed.release();
  expect(await lastExtractRows(database(), program())).toBe(1000);
});

test.each<[string, Partial<Batch>, boolean]>([
  ['a later slot becomes current', { slot: NEXT_MONDAY }, true],
  ['a later run of the same slot becomes current', { sequence: 3 }, true],
  ['a later attempt of the same run becomes current', { attempt: 3 }, true],
  ['the same attempt again stays current', {}, true],
  ['an earlier attempt does not', { attempt: 1 }, false],
  ['an earlier run of the same slot does not', { sequence: 1, attempt: 9 }, false],
  [
    'an earlier slot does not, however late its run',
    { slot: new Date('2026-11-16T02:00:00Z'), sequence: 9, attempt: 9 },
    false,
  ],
  ['a backfill never does, not even of a later slot', { slot: NEXT_MONDAY, sequence: 9, trigger: 'backfill' }, false],
])('%s', async (_sentence, change, moves) => {
  await succeed({ run: 'now' }, 1);
  await succeed({ run: 'then' }, 1);
  const now: Batch = { ...program(), run: 'now', slot: MONDAY, sequence: 2, attempt: 2, trigger: 'schedule' };
  const publish = (batch: Batch) =>
    transaction(database(), { doing: 'publish' }, (client) => publishBatch(client, batch, NEXT_MONDAY));
  expect(await publish(now)).toBe(true);
  expect(await publish({ ...now, run: 'then', ...change })).toBe(moves);
  const { rows } = await database().pool.query('SELECT run FROM holdfast.current_batches WHERE namespace = $1', [
    program().namespace,
  ]);
  expect(rows).toEqual([{ run: moves ? 'then' : 'now' }]);
  expect((await findRun(database(), { ...program(), run: 'then' }))?.publishedAt).toEqual(
    moves ? NEXT_MONDAY : undefined,
  );
});

test('counts come back in the order in which the stage gave them, which is that of the filters', async () => {
  const run = await beginRun(database(), request());
  const removed = { 'customer-value': 3, trust: 1, 'churn-signal': 2 };
  await recordStage(database(), run, {
    name: 'filter',
    rowsIn: 9,
    rowsOut: 3,
    seconds: 1,
    counts: { removed, kept: 3 },
  });
  await run.release();
  const [stage] = (await findRun(database(), run))?.stages ?? [];
  expect(stage?.counts).toEqual({ removed, kept: 3 });
  expect(Object.keys(stage?.counts['removed'] as object)).toEqual(Object.keys(removed));
});
