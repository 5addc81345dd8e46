import { appendFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BATCH_TASKS, openPods, type Pod, type Pods, performAll as performTasks } from '../test/support/pods.ts';
import { until } from '../test/support/until.ts';
import type { ProgramChanges } from '../test/support/workspace.ts';

const [PREPARE = '', EXTRACT = '', FILTER = '', SCORE = '', OFFER = '', STORE = ''] = BATCH_TASKS;

let pods: Pods;
const perform: Pods['perform'] = (...task) => pods.perform(...task);
const rows: Pods['rows'] = (sql) => pods.rows(sql);

beforeAll(async () => {
  pods = await openPods();
});
beforeEach(() => pods.next());
afterEach(() => pods.endAll());
afterAll(() => pods?.[Symbol.asyncDispose]() as Promise<void>);

const performAll = (pod: Pod, tasks?: readonly string[]) => performTasks(pods, pod, tasks);

/** A run of its own name and object. */
const runOf = (run: string, environment: Record<string, string> = {}, changes?: ProgramChanges) =>
  pods.podOf(changes, { HOLDFAST_RUN: run, HOLDFAST_RUN_UID: `uid of ${run}`, ...environment });

/** A retry of a run, by another object. */
const retryOf = (of: string, environment: Record<string, string> = {}, changes?: ProgramChanges) =>
  runOf(
    `${of}-retry`,
    { HOLDFAST_TRIGGER: 'retry', HOLDFAST_RETRY_OF: of, HOLDFAST_RETRY_OF_UID: `uid of ${of}`, ...environment },
    changes,
  );

/** A run whose pods ended for good once the given task was done. */
async function failAfter(task: string, run = 'keep-1', environment: Record<string, string> = {}): Promise<Pod> {
  const pod = await runOf(run, environment);
  await performAll(pod, BATCH_TASKS.slice(0, BATCH_TASKS.indexOf(task) + 1));
  await rows(
    `UPDATE holdfast.runs SET phase = 'Failed', finished_at = started_at WHERE program = '$program' AND run = '${run}'`,
  );
  return pod;
}

/** What a run stored, but for its name. */
const CANDIDATES = (run: string) => `
  SELECT count(*)::int AS rows, md5(string_agg((to_jsonb(c) - 'run')::text, '|' ORDER BY customer_id)) AS digest
  FROM holdfast.candidates AS c WHERE program = '$program' AND run = '${run}'`;
const DIGESTS = (run: string) => `
  SELECT stage ->> 'name' AS stage, stage ->> 'artifact' AS artifact FROM holdfast.runs, jsonb_array_elements(stages) AS stage
  WHERE program = '$program' AND run = '${run}'`;
const REUSED = `
  SELECT stage ->> 'name' AS stage FROM holdfast.runs, jsonb_array_elements(stages) AS stage
  WHERE program = '$program' AND run = 'keep-1-retry' AND stage ->> 'reusedFrom' = 'keep-1'`;
const reused = async () => (await rows(REUSED)).map(({ stage }) => stage);
const record = async (run = 'keep-1-retry') =>
  (await rows(`SELECT * FROM holdfast.runs WHERE program = '$program' AND run = '${run}'`))[0];
const folderOf = ({ environment }: Pod, run: string, ...rest: string[]) =>
  join(environment['HOLDFAST_ARTIFACTS'] ?? '', 'shop', pods.program, run, ...rest);

const STAGES = ['extract', 'filter', 'score', 'offer'];

test.each([
  [PREPARE, []],
  [EXTRACT, ['extract']],
  [FILTER, ['extract', 'filter']],
  [OFFER, STAGES],
])(
  'a retry of a run that came as far as %s goes on from there, and stores what an undisturbed run does',
  async (task, expected) => {
    await performAll(await runOf('undisturbed'));
    await failAfter(task);
    const [prepared, ...others] = await performAll(await retryOf('keep-1'));
    expect(prepared).toEqual({ reused: expected });
    expect(others).toHaveLength(BATCH_TASKS.length - 1);
    expect(await reused()).toEqual(expected);
    expect(await rows(CANDIDATES('keep-1-retry'))).toEqual(await rows(CANDIDATES('undisturbed')));
    expect(await rows(DIGESTS('keep-1-retry'))).toEqual(await rows(DIGESTS('undisturbed')));
    expect(await record()).toMatchObject({ phase: 'Succeeded', trigger: 'retry', retry_of: 'keep-1', attempt: 1 });
    expect(await rows(`SELECT run FROM holdfast.current_batches WHERE program = '$program'`)).toEqual([
      { run: 'keep-1-retry' },
    ]);
  },
);

test('what is reused took no time, and the tasks of it end at once with what was reported', async () => {
  const first = await failAfter(FILTER);
  const [, extracted] = await performAll(await runOf('other'), BATCH_TASKS.slice(0, 2));
  const pod = await retryOf('keep-1');
  await performAll(pod, [PREPARE]);
  // What they would read is gone.
  const { status, report } = await perform(EXTRACT, {
    ...pod,
    environment: { ...pod.environment, HOLDFAST_FILES: '/nowhere' },
  });
  expect({ status, report }).toEqual({ status: 0, report: extracted });
  expect((await record()).stages).toMatchObject([
    { name: 'extract', seconds: 0, reusedFrom: 'keep-1', rowsOut: 400 },
    { name: 'filter', seconds: 0, reusedFrom: 'keep-1', counts: { removed: { trust: 100 } } },
  ]);
  expect(first.environment['HOLDFAST_RUN']).toBe('keep-1');
});

test('what a stage that is reused warned of is said and kept by the retry, however often it is prepared', async () => {
  const blank: ProgramChanges = (spec) => {
    spec['dataConnectors'][0].config.query = 'SELECT * REPLACE (NULL::DOUBLE AS feature_usage) FROM customers';
  };
  await performAll(await runOf('keep-1', {}, blank), [PREPARE, EXTRACT, FILTER]);
  const { warnings } = await record('keep-1');
  expect(warnings).toMatchObject([{ stage: 'filter', code: 'COLUMN_MISSING_IN_ROWS' }]);
  const retry = await retryOf('keep-1', {}, blank);
  for (const said of [await perform(PREPARE, retry), await perform(PREPARE, retry)]) {
    expect(said).toMatchObject({ status: 0, said: expect.stringContaining(warnings[0].message) });
  }
  expect((await record()).warnings).toEqual(warnings);
});

test('the shards of a stage that is reused are not asked for again', async () => {
  const divided: ProgramChanges = (spec) => (spec['execution'] = { shards: 2 });
  const shards = 'batch/score/shards';
  const first = await runOf('keep-1', {}, divided);
  const shard = (pod: Pod, index: number) => ({
    ...pod,
    environment: { ...pod.environment, JOB_COMPLETION_INDEX: String(index) },
  });
  await performAll(first, [PREPARE, EXTRACT, FILTER]);
  for (const index of [0, 1]) await performAll(shard(first, index), [shards]);
  await performAll(first, [SCORE]);
  const retry = await retryOf('keep-1', {}, divided);
  expect(await performAll(retry, [PREPARE])).toEqual([{ reused: ['extract', 'filter', 'score'] }]);
  for (const index of [0, 1]) expect(await performAll(shard(retry, index), [shards])).toEqual([{}]);
  expect((await readdir(folderOf(retry, 'keep-1-retry'))).sort()).toEqual(['extract', 'filter', 'owner.json', 'score']);
  await performAll(retry, [SCORE, OFFER, STORE]);
});

test('a retry of a retry reuses what that had reused', async () => {
  const first = await failAfter(FILTER);
  await performAll(await retryOf('keep-1'), [PREPARE]);
  await rm(folderOf(first, 'keep-1'), { recursive: true });
  const again = await retryOf('keep-1-retry');
  expect((await performAll(again))[0]).toEqual({ reused: ['extract', 'filter'] });
  expect(await record('keep-1-retry-retry')).toMatchObject({ phase: 'Succeeded', retry_of: 'keep-1-retry' });
});

test('from a stage on, what comes before is reused and what comes after is not', async () => {
  await failAfter(OFFER);
  const [prepared] = await performAll(await retryOf('keep-1', { HOLDFAST_FROM_STAGE: 'filter' }));
  expect(prepared).toEqual({ reused: ['extract'] });
  expect((await record()).phase).toBe('Succeeded');
});

test('from the first stage on, nothing is reused, whatever is there', async () => {
  await failAfter(OFFER);
  expect(await performAll(await retryOf('keep-1', { HOLDFAST_FROM_STAGE: 'extract' }), [PREPARE])).toEqual([
    { reused: [] },
  ]);
});

test.each<[string, string, (pod: Pod) => Promise<unknown>, RegExp]>([
  [
    'that it did not get to',
    'offer',
    async () => {},
    /from the stage offer: it needs score of keep-1, and keep-1 did not get so far;/,
  ],
  ['of no name', 'guess', async () => {}, /there is no stage guess .* extract, filter, score, offer, store$/],
  [
    'whose inputs are gone',
    'score',
    (pod) => rm(folderOf(pod, 'keep-1'), { recursive: true }),
    /it needs extract, filter of keep-1, and The artifact of stage extract of run keep-1 is gone;/,
  ],
  [
    'whose inputs were changed',
    'score',
    (pod) => appendFile(folderOf(pod, 'keep-1', 'filter/1/kept.parquet'), '!'),
    /it needs filter of keep-1, and .* was changed/,
  ],
])('from a stage %s, a retry ends for good and says what is missing', async (_name, stage, harm, sentence) => {
  const pod = await failAfter(FILTER);
  await harm(pod);
  const { status, report } = await perform(PREPARE, await retryOf('keep-1', { HOLDFAST_FROM_STAGE: stage }));
  expect({ status, error: report.error }).toEqual({
    status: 78,
    error: { code: 'HF_RETRY_REFUSED', message: expect.stringMatching(sentence) },
  });
  expect(await record()).toMatchObject({ phase: 'Failed', error_code: 'HF_RETRY_REFUSED' });
});

interface Unfit {
  readonly name: string;
  readonly reused: readonly string[];
  readonly environment?: Record<string, string>;
  readonly changes?: ProgramChanges;
  readonly harm?: (pod: Pod) => Promise<unknown>;
  readonly said: RegExp;
}

test.each<Unfit>([
  {
    name: 'lost a part of a stage',
    reused: ['extract'],
    harm: (pod) => rm(folderOf(pod, 'keep-1', 'filter/1/kept.parquet')),
    said: /has lost its part kept.parquet/,
  },
  {
    name: 'was pruned',
    reused: [],
    harm: (pod) => rm(folderOf(pod, 'keep-1'), { recursive: true }),
    said: /is gone/,
  },
  {
    name: 'is another object of the name',
    reused: [],
    environment: { HOLDFAST_RETRY_OF_UID: 'another' },
    said: /that of another run of this name/,
  },
  {
    name: 'was as of another slot',
    reused: [],
    environment: { HOLDFAST_SLOT: '2026-11-16T02:00:00Z' },
    said: /keep-1 is as of 2026-11-23T02:00:00Z/,
  },
  {
    name: 'was pinned to another revision',
    reused: [],
    changes: (spec) => (spec['programName'] = 'Other'),
    said: /was pinned to another revision/,
  },
  {
    name: 'left no record',
    reused: [],
    harm: () => rows(`DELETE FROM holdfast.runs WHERE program = '$program'`),
    said: /no record of keep-1/,
  },
  {
    name: 'counted by a history that somebody changed',
    reused: [],
    harm: () =>
      rows(`INSERT INTO holdfast.discards (namespace, program, run, undone, changed_by, reason)
        VALUES ('shop', '$program', 'older', false, 'ada', 'wrong')`),
    said: /by which caps count/,
  },
])('of a run that $name, only what is right is reused', async ({ reused: expected, harm, said, ...of }) => {
  const first = await failAfter(FILTER);
  await harm?.(first);
  const pod = await retryOf('keep-1', of.environment, of.changes);
  const prepared = await perform(PREPARE, pod);
  expect(prepared).toMatchObject({ status: 0, report: { reused: expected }, said: expect.stringMatching(said) });
  await performAll(pod, BATCH_TASKS.slice(1));
  expect((await record()).phase).toBe('Succeeded');
});

test('a batch of an earlier slot that was published since may have used up caps: nothing is reused', async () => {
  await failAfter(FILTER);
  await performAll(await runOf('late', { HOLDFAST_SLOT: '2026-11-16T02:00:00Z' }));
  expect(await performAll(await retryOf('keep-1'), [PREPARE])).toEqual([{ reused: [] }]);
});

test('a retry of a backfill is a backfill: it never becomes current', async () => {
  await failAfter(FILTER, 'keep-1', { HOLDFAST_TRIGGER: 'backfill' });
  await performAll(await retryOf('keep-1', { HOLDFAST_TRIGGER: 'backfill' }));
  expect(await record()).toMatchObject({
    phase: 'Succeeded',
    trigger: 'backfill',
    retry_of: 'keep-1',
    published_at: null,
  });
  expect(await rows(`SELECT run FROM holdfast.current_batches WHERE program = '$program'`)).toEqual([]);
});

test('so is one of a backfill that left no record, or that of another run of the name', async () => {
  await failAfter(FILTER);
  const of = { HOLDFAST_TRIGGER: 'backfill', HOLDFAST_RETRY_OF_UID: 'another' };
  for (const name of ['keep-1', 'keep-2']) {
    await performAll(await retryOf(name, of));
    expect(await record(`${name}-retry`)).toMatchObject({ trigger: 'backfill', published_at: null });
  }
});

test('the record of another run of the name makes no backfill of a retry', async () => {
  await failAfter(FILTER, 'keep-1', { HOLDFAST_TRIGGER: 'backfill' });
  await performAll(await retryOf('keep-1', { HOLDFAST_RETRY_OF_UID: 'another' }));
  expect(await record()).toMatchObject({ trigger: 'retry', published_at: expect.any(Date) });
});

test('a retry whose slot is no longer the newest is refused, as any run', async () => {
  await failAfter(FILTER, 'keep-1', { HOLDFAST_SLOT: '2026-11-16T02:00:00Z' });
  await performAll(await runOf('newer'));
  const { status, report } = await perform(PREPARE, await retryOf('keep-1', { HOLDFAST_SLOT: '2026-11-16T02:00:00Z' }));
  expect({ status, code: report.error.code }).toEqual({ status: 78, code: 'HF_BATCH_NOT_CURRENT' });
});

describe('killed', () => {
  const HOLD = 4711;
  /** Stops whoever is about to record the given number of stages of a retry, until the lock is let go. */
  const hold = (stages: number) => `
    CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(${HOLD}); RETURN NEW; END $$;
    CREATE TRIGGER hold BEFORE UPDATE ON holdfast.runs FOR EACH ROW
    WHEN (NEW.retry_of IS NOT NULL AND jsonb_array_length(NEW.stages) = ${stages}) EXECUTE FUNCTION public.hold()`;
  const waiting = async () =>
    (
      await rows(
        `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ${HOLD}`,
      )
    )[0].n > 0;

  test.each([1, 2, 4])(
    'before it has recorded stage %i of those that it reuses, the next try leaves the state of one run',
    async (stages) => {
      await performAll(await runOf('undisturbed'));
      await failAfter(OFFER);
      await pods.database.pool.query(hold(stages));
      const held = await pods.database.pool.connect();
      await held.query(`SELECT pg_advisory_lock(${HOLD})`);
      const pod = await retryOf('keep-1');
      const { child, ended } = pods.launch(PREPARE, pod);
      await until('the task waits for its turn to record', waiting, Boolean, 60_000);
      child.kill('SIGKILL');
      await ended;
      await held.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = ${HOLD} AND NOT granted`,
      );
      await held.query(`SELECT pg_advisory_unlock(${HOLD})`);
      held.release();
      await pods.database.pool.query('DROP TRIGGER hold ON holdfast.runs; DROP FUNCTION public.hold');
      // Its files are there, and the record is not.
      expect(await readdir(folderOf(pod, 'keep-1-retry'))).toContain(STAGES[stages - 1]);
      expect(await reused()).toEqual(STAGES.slice(0, stages - 1));
      const [prepared] = await performAll(pod);
      expect(prepared).toEqual({ reused: STAGES });
      expect(await rows(CANDIDATES('keep-1-retry'))).toEqual(await rows(CANDIDATES('undisturbed')));
    },
  );

  test('after it prepared, and prepared again once stages of its own are done, it keeps to what it did', async () => {
    const first = await failAfter(FILTER);
    const pod = await retryOf('keep-1');
    await performAll(pod, [PREPARE, EXTRACT, FILTER, SCORE]);
    await rm(folderOf(first, 'keep-1'), { recursive: true });
    expect(await performAll(pod, [PREPARE])).toEqual([{ reused: ['extract', 'filter'] }]);
    await performAll(pod, [OFFER, STORE]);
    expect((await record()).phase).toBe('Succeeded');
  });

  test('a stage that was lost and done again is not taken from the run before once more', async () => {
    await failAfter(OFFER);
    const pod = await retryOf('keep-1');
    await performAll(pod, [PREPARE]);
    await rm(folderOf(pod, 'keep-1-retry', 'filter'), { recursive: true });
    await performAll(pod, [EXTRACT, FILTER]);
    expect(await performAll(pod, [PREPARE])).toEqual([{ reused: ['extract'] }]);
    expect((await record()).stages.find(({ name }: { name: string }) => name === 'filter').reusedFrom).toBeUndefined();
  });
});

test('two pods that prepare a retry at once prepare one', async () => {
  await failAfter(OFFER);
  const pod = await retryOf('keep-1');
  expect(await Promise.all([pods.launch(PREPARE, pod).ended, pods.launch(PREPARE, pod).ended])).toEqual([0, 0]);
  expect(await reused()).toEqual(STAGES);
  await performAll(pod);
  expect(await record()).toMatchObject({ phase: 'Succeeded', attempt: 1 });
});
