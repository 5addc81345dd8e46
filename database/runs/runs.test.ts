import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { told } from '../../contract/warning.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { setCurrentBatch } from '../batches/current-batch.ts';
import { type Batch, claimRun, publishBatch } from '../batches/publish.ts';
import { connect } from '../client/connect.ts';
import { transaction } from '../client/transaction.ts';
import { beginRun, type NewRun, type StartedRun } from './begin-run.ts';
import { joinRun } from './join-run.ts';
import { currentRun, findRun, finishRun, listRuns, recordStage, recordWarnings } from './runs.ts';

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

const MONDAY = new Date('2026-11-16T02:00:00Z');
const NEXT_MONDAY = new Date('2026-11-23T02:00:00Z');
const database = () => postgres.database;
const program = () => ({ namespace: `n${namespace}`, owner: 'churn' });

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
  expect((await succeed({ owner: 'winback' }, 1)).sequence).toBe(1);
});

test('a number is not given out again when its run is gone', async () => {
  await succeed({}, 1);
  await database().pool.query('DELETE FROM holdfast.runs WHERE namespace = $1', [program().namespace]);
  expect((await succeed({}, 1)).sequence).toBe(2);
});

test('a second run of the program is refused while the first is under way, and only then', async () => {
  const first = await beginRun(database(), request());
  await expect(beginRun(database(), request())).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  const other = await beginRun(database(), request({ owner: 'winback' }));
  await other.release();
  await first.release();
  await (await beginRun(database(), request())).release();
  expect((await findRun(database(), { ...program(), run: 'churn-1' }))?.phase).toBe('Interrupted');
});

test('how long a run took is what was measured, or else between its times; of one that was cut off nobody knows', async () => {
  const ended = async (end: { readonly seconds?: number; readonly finishedAt: Date }) => {
    const run = await beginRun(database(), request());
    await finishRun(database(), run, { phase: 'Succeeded', ...end });
    await run.release();
    return (await findRun(database(), run))?.seconds;
  };
  expect(await ended({ seconds: 7.5, finishedAt: MONDAY })).toBe(7.5);
  expect(await ended({ finishedAt: new Date(MONDAY.getTime() + 61_250) })).toBe(61.25);
  expect(await ended({ finishedAt: new Date(MONDAY.getTime() - 1) })).toBe(0);
  const again = await beginRun(database(), request({ run: 'churn-1' }));
  expect((await findRun(database(), again))?.seconds).toBeUndefined();
  await again.release();
  await (await beginRun(database(), request())).release();
  expect(await findRun(database(), again)).toMatchObject({ phase: 'Interrupted', seconds: undefined });
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

test('a retry says which run it is of, until its name is begun for something else', async () => {
  const first = await succeed({ run: 'first' }, 10);
  expect((await findRun(database(), first))?.retryOf).toBeUndefined();
  const retry = await succeed({ run: 'again', trigger: 'retry', retryOf: 'first' }, 10);
  expect(await findRun(database(), retry)).toMatchObject({ trigger: 'retry', retryOf: 'first' });
  await succeed({ run: 'again', trigger: 'manual' }, 10);
  expect(await findRun(database(), retry)).toMatchObject({ attempt: 2, retryOf: undefined });
});

test('the slot of a name never changes, and the refusal gives the program free', async () => {
  await succeed({ run: 'by-hand' }, 10);
  const moved = beginRun(database(), request({ run: 'by-hand', slot: NEXT_MONDAY }));
  await expect(moved).rejects.toMatchObject({ code: 'HF_MANIFEST_INVALID' });
  await (await beginRun(database(), request())).release();
});

test('what a run warned of is kept in order, bounded, and a repeated stage replaces its own', async () => {
  const run = await beginRun(database(), request());
  const report = { rowsIn: 9, rowsOut: 8, seconds: 0.5, counts: {} };
  const odd = (message: string) => told('SOURCE_DOUBTFUL', [message]);
  const kept = async () => (await findRun(database(), run))?.warnings;
  await recordWarnings(database(), run, told('MANIFEST', ['of the manifest']));
  await recordStage(database(), run, { ...report, name: 'extract' }, odd('before'));
  await recordStage(database(), run, { ...report, name: 'filter' }, odd('after'));
  await recordStage(database(), run, { ...report, name: 'extract' }, odd(`again\0${'x'.repeat(5000)}`));
  // Whoever prepares a run may do so twice.
  await recordWarnings(database(), run, told('MANIFEST', ['of the manifest', 'and another']));
  expect(await kept()).toEqual([
    { stage: null, code: 'MANIFEST', message: 'of the manifest' },
    { stage: 'filter', code: 'SOURCE_DOUBTFUL', message: 'after' },
    { stage: 'extract', code: 'SOURCE_DOUBTFUL', message: expect.stringMatching(/^againx{900,}…$/) },
    { stage: null, code: 'MANIFEST', message: 'and another' },
  ]);
  const many = Array.from({ length: 30 }, (_, index) => `warning ${index}`);
  await recordStage(database(), run, { ...report, name: 'extract' }, told('SOURCE_DOUBTFUL', many));
  const of = (await kept())?.filter(({ stage }) => stage === 'extract');
  expect(of).toHaveLength(20);
  expect(of?.at(-1)).toEqual({
    stage: 'extract',
    code: 'WARNINGS_LEFT_OUT',
    message: '11 more warnings are not kept.',
  });
  await finishRun(database(), run, { phase: 'Failed', finishedAt: NEXT_MONDAY });
  await run.release();
  // Its next attempt begins with none.
  await (await beginRun(database(), request({ run: run.run }))).release();
  expect(await kept()).toEqual([]);
});

test('what the stages reported is kept in order, and a repeated stage replaces its report', async () => {
  const run = await beginRun(database(), request());
  const report = { rowsIn: 9, rowsOut: 8, seconds: 0.5, counts: { rejected: 1, reasons: { nan: 1 } } };
  await recordStage(database(), run, { ...report, name: 'extract' });
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
    discardedAt: undefined,
  });
});

test('there is no current run before the first', async () => {
  expect(await currentRun(database(), program())).toBeUndefined();
});

const publish = (batch: Batch) =>
  transaction(database(), { doing: 'publish' }, (client) => publishBatch(client, batch, NEXT_MONDAY));
const currentRows = async () =>
  (await currentRun(database(), program()))?.stages.find(({ name }) => name === 'extract')?.rowsOut;
const currentName = async () => (await currentRun(database(), program()))?.run;

test('the last extract is that of the current batch, not of a failed run, of a backfill, or of a batch that was set back from', async () => {
  const good = await succeed({}, 500);
  await publish({ ...good, slot: MONDAY, trigger: 'schedule' });
  const wrong = await succeed({ slot: NEXT_MONDAY }, 9000);
  await publish({ ...wrong, slot: NEXT_MONDAY, trigger: 'schedule' });
  await succeed({ slot: NEXT_MONDAY, trigger: 'backfill' }, 7);
  const failed = await beginRun(database(), request({ slot: NEXT_MONDAY }));
  await recordStage(database(), failed, { name: 'extract', rowsIn: 1, rowsOut: 1, seconds: 1, counts: {} });
  await finishRun(database(), failed, { phase: 'Failed', finishedAt: NEXT_MONDAY });
  await failed.release();
  expect(await currentRows()).toBe(9000);
  await setCurrentBatch(database(), { ...good, by: 'ada', reason: 'wrong prices', withdraw: false });
  expect(await currentRows()).toBe(500);
});

const NOT_CURRENT = 'HF_BATCH_NOT_CURRENT';
test.each<[string, Partial<Batch>, 'current' | 'unchanged' | typeof NOT_CURRENT]>([
  ['a later slot becomes current', { slot: NEXT_MONDAY }, 'current'],
  ['a later run of the same slot becomes current', { sequence: 3 }, 'current'],
  ['a later attempt of the same run becomes current', { attempt: 3 }, 'current'],
  ['the same attempt again stays current', {}, 'current'],
  ['an earlier attempt is refused', { attempt: 1 }, NOT_CURRENT],
  ['an earlier run of the same slot is refused', { sequence: 1, attempt: 9 }, NOT_CURRENT],
  [
    'an earlier slot is refused, however late its run',
    { slot: new Date('2026-11-09T02:00:00Z'), sequence: 9, attempt: 9 },
    NOT_CURRENT,
  ],
  [
    'a backfill changes nothing and is no failure, not even of a later slot',
    { slot: NEXT_MONDAY, sequence: 9, trigger: 'backfill' },
    'unchanged',
  ],
])('%s', async (_sentence, change, outcome) => {
  await succeed({ run: 'now' }, 1);
  await succeed({ run: 'then' }, 1);
  const now: Batch = { ...program(), run: 'now', slot: MONDAY, sequence: 2, attempt: 2, trigger: 'schedule' };
  await publish(now);
  const published = publish({ ...now, run: 'then', ...change });
  if (outcome === NOT_CURRENT) {
    await expect(published).rejects.toMatchObject({
      code: NOT_CURRENT,
      message: expect.stringMatching(/is now, as of 2026-11-16T02:00:00Z.*holdfast current churn.* --set RUN/),
    });
  } else await published;
  const moves = outcome === 'current';
  expect(await currentName()).toBe(moves ? 'then' : 'now');
  expect((await findRun(database(), { ...program(), run: 'then' }))?.publishedAt).toEqual(
    moves ? NEXT_MONDAY : undefined,
  );
});

test('a run whose turn another has taken is not begun again by its own task; one that goes on, or is over, is as it was', async () => {
  const join = (run: string, runUid: string) => joinRun(database(), { ...request(), run, runUid });
  const first = await join('first', 'uid-1');
  expect(await join('first', 'uid-1')).toEqual(first);
  const second = await join('second', 'uid-2');
  expect((await findRun(database(), { ...program(), run: 'first' }))?.phase).toBe('Interrupted');
  await expect(join('first', 'uid-1')).rejects.toMatchObject({
    code: 'HF_DATA_LOCKED',
    message: expect.stringContaining('took its turn'),
  });
  expect((await findRun(database(), { ...program(), run: 'second' }))?.phase).toBe('Running');
  for (const phase of ['Succeeded', 'Failed'] as const) {
    await finishRun(database(), { ...program(), ...second }, { phase, finishedAt: NEXT_MONDAY });
    expect(await join('second', 'uid-2')).toEqual(second);
  }
  // Made anew under its name, by somebody else, it is the next attempt and has its turn.
  expect(await join('first', 'uid-3')).toEqual({ ...first, attempt: 2 });
});

/** Hours ahead of the machine's clock, which is that of the embedded database. */
const ahead = (hours: number) => new Date(Date.now() + hours * 3_600_000);

describe('a run is not begun', () => {
  const join = (change: Partial<NewRun>) =>
    joinRun(database(), { ...request(change), run: `joined-${change.pipeline ?? 'batch'}`, runUid: 'uid' });
  const ways: [string, (change: Partial<NewRun>) => Promise<unknown>][] = [
    ['here', (change) => beginRun(database(), request(change))],
    ['on a cluster', join],
  ];
  test.each(ways)('%s for a slot that the clock of the database has not come to', async (_where, begin) => {
    for (const trigger of ['schedule', 'manual', 'backfill', 'retry'] as const) {
      await expect(begin({ slot: ahead(1), trigger })).rejects.toMatchObject({ code: 'HF_SLOT_IN_FUTURE' });
      await expect(begin({ slot: new Date('2999-12-30T02:00:00Z'), trigger, pipeline: 'prune' })).rejects.toMatchObject(
        {
          code: 'HF_SLOT_IN_FUTURE',
        },
      );
    }
    expect(await listRuns(database(), { ...program(), limit: 9 })).toEqual([]);
  });
  test.each(ways)('%s for a slot before that of the current batch, but for a backfill', async (where, begin) => {
    const newer = await succeed({ slot: NEXT_MONDAY }, 1);
    await publish({ ...newer, slot: NEXT_MONDAY, trigger: 'schedule' });
    await expect(begin({ slot: MONDAY })).rejects.toMatchObject({ code: NOT_CURRENT });
    const begun = await begin({ slot: MONDAY, trigger: 'backfill' });
    if (where === 'here') await (begun as StartedRun).release();
    const pruning = await begin({ slot: MONDAY, pipeline: 'prune' });
    if (where === 'here') await (pruning as StartedRun).release();
  });
  test('a slot a little ahead is a clock that is a little off', async () => {
    await (await beginRun(database(), request({ slot: ahead(1 / 60) }))).release();
  });
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
