import { copyFile, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { lockTask } from '../database/locks/task-lock.ts';
import { openFolderStore } from '../providers/artifacts/folder.ts';
import { BATCH_TASKS, openPods, type Pod, type Pods, performAll as performTasks } from '../test/support/pods.ts';
import { until } from '../test/support/until.ts';
import type { ProgramChanges, ProgramSpec } from '../test/support/workspace.ts';

let pods: Pods;
const podOf: Pods['podOf'] = (...pod) => pods.podOf(...pod);
const perform: Pods['perform'] = (...task) => pods.perform(...task);
const launch: Pods['launch'] = (...task) => pods.launch(...task);
const rows: Pods['rows'] = (sql) => pods.rows(sql);

beforeAll(async () => {
  pods = await openPods();
});
beforeEach(() => pods.next());
afterEach(() => pods.endAll());
afterAll(() => pods?.[Symbol.asyncDispose]() as Promise<void>);

const performAll = (pod: Pod) => performTasks(pods, pod);

const STATE = `
  SELECT runs.run, runs.phase, runs.attempt, runs.sequence::int, jsonb_array_length(stages) AS stages,
    (SELECT count(*)::int FROM holdfast.candidates WHERE program = '$program') AS candidates,
    (SELECT count(*)::int FROM holdfast.decisions WHERE program = '$program') AS decisions,
    (SELECT run FROM holdfast.current_batches WHERE program = '$program') AS current
  FROM holdfast.runs WHERE program = '$program'`;

test('six processes, one after the other, publish one batch', async () => {
  const pod = await podOf();
  const reports = [];
  for (const task of BATCH_TASKS) {
    expect([task, await launch(task, pod).ended]).toEqual([task, 0]);
    reports.push(JSON.parse(await readFile(pod.log, 'utf8')));
  }
  const [state] = await rows(STATE);
  expect(state).toMatchObject({
    run: 'keep-1',
    phase: 'Succeeded',
    attempt: 1,
    sequence: 1,
    stages: 5,
    current: 'keep-1',
  });
  expect(state.candidates).toBeGreaterThan(0);
  expect(reports[1]).toMatchObject({ rowsIn: 400, rowsOut: 400, artifact: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(reports[2]).toMatchObject({ rowsIn: 400, rowsOut: 100, counts: { removed: { trust: 100 } } });
  expect(reports[5]).toMatchObject({ rowsOut: state.candidates });
});

test('a task that is repeated leaves the state of one run, and reports the same', async () => {
  const pod = await podOf();
  const once = await performAll(pod);
  const state = await rows(STATE);
  const twice = await performAll(pod);
  expect(twice).toEqual(once);
  expect(await rows(STATE)).toEqual(state);
});

test('two processes at once that do the same task leave the state of one run', async () => {
  const pod = await podOf();
  await perform(BATCH_TASKS[0]!, pod);
  for (const task of BATCH_TASKS.slice(1)) {
    const both = await Promise.all([launch(task, pod).ended, launch(task, pod).ended]);
    expect([task, ...both]).toEqual([task, 0, 0]);
  }
  const [state] = await rows(STATE);
  expect(state).toMatchObject({ phase: 'Succeeded', attempt: 1, sequence: 1, stages: 5, current: 'keep-1' });
  expect(state.decisions).toBe(state.candidates);
});

test('two processes at once that begin a run begin one run', async () => {
  const pod = await podOf();
  expect(await Promise.all([launch(BATCH_TASKS[0]!, pod).ended, launch(BATCH_TASKS[0]!, pod).ended])).toEqual([0, 0]);
  expect(await rows(STATE)).toMatchObject([{ run: 'keep-1', attempt: 1, sequence: 1 }]);
});

test('SIGTERM ends a task with status 1, and the next try does it', async () => {
  const pod = await podOf();
  await perform(BATCH_TASKS[0]!, pod);
  const key = { namespace: 'shop', owner: pods.program, run: 'keep-1', task: 'extract/extract' };
  const lock = await lockTask(pods.database, key, new AbortController().signal);
  const { child, ended } = launch(BATCH_TASKS[1]!, pod);
  const waiting = () => rows(`SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
  await until('the task waits for its turn', waiting, ([found]) => found.n > 0, 60_000);
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  expect(JSON.parse(await readFile(pod.log, 'utf8'))).toMatchObject({ error: { code: 'HF_INTERRUPTED' } });
  await lock.release();
  expect(await perform(BATCH_TASKS[1]!, pod)).toMatchObject({ status: 0, report: { rowsOut: 400 } });
});

test('a run made again under its name is its next attempt, and what the first still does is refused', async () => {
  const first = await podOf();
  await performAll(first);
  const second = { ...first, environment: { ...first.environment, HOLDFAST_RUN_UID: 'uid-2' } };
  await performAll(second);
  expect(await rows(STATE)).toMatchObject([{ run: 'keep-1', phase: 'Succeeded', attempt: 2, sequence: 1 }]);
  expect(await perform('batch/store/store', first)).toMatchObject({
    status: 1,
    report: { error: { code: 'HF_DATA_LOCKED' } },
  });
});

test('a task reads a server by the connection that it is given, and says which one is missing', async () => {
  await pods.database.pool.query(
    `CREATE TABLE public.customers AS SELECT 'C' || n AS customer_id FROM generate_series(1, 9) n`,
  );
  const overServer = (connection: string) =>
    podOf(
      (spec) => {
        const query = 'SELECT * FROM public.customers';
        spec['dataConnectors'] = [{ connectorId: 'our-crm', type: 'postgres', config: { query } }];
        spec['filterChain'] = [];
        spec['scoringModels'] = [{ ...spec['scoringModels'][0], features: ['customer_id'] }];
      },
      { HOLDFAST_CONNECTION_OUR_CRM: connection },
    );
  await perform(BATCH_TASKS[0]!, await overServer(''));
  expect(await perform(BATCH_TASKS[1]!, await overServer(''))).toMatchObject({
    status: 78,
    report: { error: { code: 'HF_USAGE', message: expect.stringContaining('HOLDFAST_CONNECTION_OUR_CRM') } },
  });
  await pods.database.pool.query(`
    CREATE ROLE crm_reader LOGIN PASSWORD 'reads';
    GRANT SELECT ON public.customers TO crm_reader`);
  const reader = pods.server.url.replace(/\/\/[^@]*@/, '//crm_reader:reads@');
  expect(await perform(BATCH_TASKS[1]!, await overServer(reader))).toMatchObject({
    status: 0,
    report: { rowsOut: 9 },
  });
});

/** Puts another whole artifact in the place of one: with the same files, but a manifest that says something else. */
async function forge({ environment }: Pod, stage: string): Promise<void> {
  const store = openFolderStore(environment['HOLDFAST_ARTIFACTS'] ?? '');
  const key = { namespace: 'shop', owner: pods.program, run: 'keep-1', stage, attempt: 1 };
  const { folder, manifest } = await store.open(key);
  const draft = await store.draft(key);
  for (const { path } of manifest.parts) await copyFile(join(folder, path), join(draft.folder, path));
  await draft.commit({ rows: manifest.rows, parts: manifest.parts, counts: { forged: 1 } });
}

test.each([
  ['extract', 'batch/filter/filter'],
  ['filter', 'batch/score/score'],
  ['offer', 'batch/store/store'],
  ['extract', 'batch/store/store'],
])('an artifact of %s that another wrote in its place is refused by %s', async (stage, refusing) => {
  const pod = await podOf();
  for (const task of BATCH_TASKS.slice(0, BATCH_TASKS.indexOf(refusing))) await perform(task, pod);
  await forge(pod, stage);
  const { status, report } = await perform(refusing, pod);
  expect({ status, code: report.error.code }).toEqual({ status: 78, code: 'HF_ARTIFACT_CORRUPT' });
  expect(await rows(STATE)).toMatchObject([{ phase: 'Failed', current: null, candidates: 0 }]);
});

test('a stage whose artifact another wrote in its place is done again', async () => {
  const pod = await podOf();
  for (const task of BATCH_TASKS.slice(0, 2)) await perform(task, pod);
  await forge(pod, 'extract');
  expect(await perform('batch/extract/extract', pod)).toMatchObject({ status: 0 });
  expect(await perform('batch/filter/filter', pod)).toMatchObject({ status: 0 });
});

test('a task that is given another revision than its run was prepared with does nothing', async () => {
  const pod = await podOf();
  expect((await perform('batch/extract/migrate', pod)).status).toBe(0);
  const other = await podOf((spec) => {
    spec['programName'] = 'Another';
  });
  const { status, report } = await perform('batch/extract/extract', other);
  expect(status).toBe(78);
  expect(report.error).toMatchObject({
    code: 'HF_MANIFEST_INVALID',
    message: expect.stringMatching(/^the run keep-1 was prepared with the revision [0-9a-f]{64}, and this task/),
  });
});

test('a dry run leaves no trace in Postgres', async () => {
  const pod = await podOf(undefined, { HOLDFAST_DRY_RUN: 'true' });
  const reports = await performAll(pod);
  expect(reports.at(-1).rowsOut).toBeGreaterThan(0);
  expect(await rows(STATE)).toEqual([]);
});

test('a failure that trying again cannot mend ends with status 78 and is recorded', async () => {
  const pod = await podOf((spec) => {
    spec['scoringModels'][0].endpoint = 'onnx://missing.onnx';
  });
  for (const task of BATCH_TASKS.slice(0, 3)) await perform(task, pod);
  const { status, report } = await perform('batch/score/score', pod);
  expect({ status, code: report.error.code }).toEqual({ status: 78, code: 'HF_MODEL_MISSING' });
  expect(await rows(STATE)).toMatchObject([{ phase: 'Failed', current: null }]);
});

test('what lies beside the files of a program is out of its reach: the artifacts of others, above all', async () => {
  const theirs = await podOf();
  const digests = (await performAll(theirs)).map(({ artifact }) => artifact);
  expect(digests[1]).toMatch(/^[0-9a-f]{64}$/);
  const root = theirs.environment['HOLDFAST_ARTIFACTS']!;
  const extract = `${root}/shop/${pods.program}/keep-1/extract/1`;
  const [part] = (await readdir(extract)).filter((name) => name.endsWith('.parquet'));
  const link = join(theirs.environment['HOLDFAST_FILES']!, `link-${pods.program}`);
  await symlink(extract, link);
  const reads = (path: string) => (spec: ProgramSpec) => {
    spec['programId'] = `spy-${pods.program}`;
    spec['dataConnectors'][0].config = { path, table: 'customers', query: 'SELECT * FROM customers' };
  };
  const ways = [
    `${extract}/${part}`,
    `../../..${extract}/${part}`,
    `${link}/${part}`,
    `link-${pods.program}/*.parquet`,
  ];
  for (const path of [...ways, `${root}/**/*.parquet`]) {
    const spy = await podOf(reads(path), { HOLDFAST_RUN: 'spy-1', HOLDFAST_DRY_RUN: 'true' });
    const { status, report } = await perform('batch/extract/extract', spy);
    expect({ path, status, code: report.error?.code }).toEqual({ path, status: 78, code: 'HF_PATH_REFUSED' });
  }
  const model = join(dirname(root), 'model.onnx');
  const remote = 'http://127.0.0.1:1/v2/models/risk/versions/1';
  const models = [
    { endpoint: `onnx://${model}` },
    { endpoint: 'onnx://../model.onnx' },
    { endpoint: remote, manifest: model, manifestSha256: undefined },
  ];
  for (const change of models) {
    const spy = await podOf((spec) => Object.assign(spec['scoringModels'][0], change), { HOLDFAST_DRY_RUN: 'true' });
    const { status, report } = await perform('batch/score/score', spy);
    expect({ change, status, code: report.error?.code }).toEqual({ change, status: 78, code: 'HF_PATH_REFUSED' });
  }
});

test.each([
  ['a revision that was changed is refused', { HOLDFAST_REVISION_DIGEST: 'f'.repeat(64) }, 78, 'HF_MANIFEST_INVALID'],
  [
    'a revision that is not there is refused',
    { HOLDFAST_REVISION: '/nowhere/revision.json' },
    78,
    'HF_MANIFEST_UNREADABLE',
  ],
  [
    'a database that does not answer is tried again',
    { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' },
    1,
    'HF_DATABASE_UNREACHABLE',
  ],
  ['a variable that is missing is named', { HOLDFAST_RUN: '' }, 78, 'HF_USAGE'],
  ['a task before the run was prepared waits for it', {}, 1, 'HF_RUN_NOT_PREPARED'],
])('%s', async (_name, change, status, code) => {
  const result = await perform('batch/extract/extract', await podOf(undefined, change));
  expect({ status: result.status, code: result.report.error.code }).toEqual({ status, code });
});

test.each(['', 'batch', 'batch/extract', 'batch/extract/nothing', 'batch/extract/extract/more', 'constructor/a/b'])(
  'a task that does not exist is refused: %j',
  async (task) => {
    expect(await perform(task, await podOf())).toMatchObject({ report: { error: { code: 'HF_USAGE' } } });
  },
);

test('the tasks of prune delete what the program no longer needs, and say so, however often they are done', async () => {
  const changes: ProgramChanges = (spec) => (spec['retention'] = { runs: 1 });
  const old = await podOf(changes);
  await performAll(old);
  await performAll(await podOf(changes, { HOLDFAST_RUN: 'keep-2', HOLDFAST_RUN_UID: 'uid-2' }));
  await rows(
    `UPDATE holdfast.candidates SET expires_at = '2026-11-01Z' WHERE program = '$program' AND run = 'keep-1' RETURNING run`,
  );
  const folders = () => readdir(join(old.environment['HOLDFAST_ARTIFACTS'] ?? '', 'shop', pods.program));

  const dry = await podOf(changes, { HOLDFAST_RUN: 'dry', HOLDFAST_RUN_UID: 'uid-dry', HOLDFAST_DRY_RUN: 'true' });
  expect((await perform('prune/prune/migrate', dry)).status).toBe(0);
  expect((await perform('prune/prune/prune', dry)).report.counts).toMatchObject({ runs: 1, kept: { current: 1 } });
  expect(await folders()).toEqual(expect.arrayContaining(['keep-1', 'keep-2']));

  const pod = await podOf(changes, { HOLDFAST_RUN: 'keep-prune', HOLDFAST_RUN_UID: 'uid-prune' });
  for (let time = 0; time < 2; time += 1) {
    for (const task of ['prune/prune/migrate', 'prune/prune/prune']) {
      const { status, report } = await perform(task, pod);
      expect(status).toBe(0);
      if (task.endsWith('/prune'))
        expect(report.counts).toMatchObject({ runs: 1, foreign: 0, kept: { current: 1, running: 1 } });
    }
  }
  expect((await folders()).sort()).toEqual(['dry', 'keep-2', 'keep-prune']);
  expect(await rows(`SELECT phase FROM holdfast.runs WHERE program = '$program' AND run = 'keep-prune'`)).toEqual([
    { phase: 'Succeeded' },
  ]);
}, 60_000);

test('a pod without a folder that it can work in says which one', async () => {
  const pod = await podOf(() => {}, { HOLDFAST_SCRATCH: '/dev/null/scratch' });
  await perform(BATCH_TASKS[0]!, pod);
  const { status, report } = await perform(BATCH_TASKS[1]!, pod);
  expect(status).toBe(78);
  expect(report.error).toEqual({ code: 'HF_DATA_FOLDER', message: '/dev/null/scratch is not a folder' });
});
