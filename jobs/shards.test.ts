import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { lockTask } from '../database/locks/task-lock.ts';
import { openPods, type Pod, type Pods } from '../test/support/pods.ts';

const BEFORE = ['batch/extract/migrate', 'batch/extract/extract', 'batch/filter/filter'];
const SHARDS = 'batch/score/shards';
const SCORE = 'batch/score/score';
const COUNT = 3;

let pods: Pods;
beforeAll(async () => {
  pods = await openPods();
});
beforeEach(() => pods.next());
afterEach(() => pods.endAll());
afterAll(() => pods?.[Symbol.asyncDispose]() as Promise<void>);

/** The pods of a run whose work is divided among so many. */
const divided = (shards = COUNT, environment: Record<string, string> = {}) =>
  pods.podOf((spec) => {
    spec['execution'] = { shards };
  }, environment);

/** Such a run that has come to its scores. */
async function toScore(shards = COUNT, environment: Record<string, string> = {}): Promise<Pod> {
  const pod = await divided(shards, environment);
  for (const task of BEFORE) expect(await pods.perform(task, pod)).toMatchObject({ status: 0 });
  return pod;
}

function shard(pod: Pod, index: number | string): Pod {
  return { ...pod, environment: { ...pod.environment, JOB_COMPLETION_INDEX: String(index) } };
}

const artifacts = (pod: Pod) => join(pod.environment['HOLDFAST_ARTIFACTS'] ?? '', 'shop', pods.program, 'keep-1');
const partOf = (pod: Pod, index: number) => join(artifacts(pod), `score-${index}-of-${COUNT}`, '1', 'scores.parquet');

async function doShards(pod: Pod): Promise<any[]> {
  const reports = [];
  for (let index = 0; index < COUNT; index += 1) {
    const { status, report } = await pods.perform(SHARDS, shard(pod, index));
    expect({ index, status, report }).toMatchObject({ status: 0 });
    reports.push(report);
  }
  return reports;
}

/** What the stage says when one pod does all of it. */
async function undivided(): Promise<any> {
  const { status, report } = await pods.perform(SCORE, await toScore(1, { HOLDFAST_RUN: 'keep-alone' }));
  expect(status).toBe(0);
  return report;
}

/** Resolves once a pod waits for its turn. */
async function waits(): Promise<void> {
  for (let waiting = false; !waiting; await pause(20)) {
    const [found] = await pods.rows(
      `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
    );
    waiting = found.n > 0;
  }
}

const turn = (index: number) =>
  lockTask(
    pods.database,
    { namespace: 'shop', owner: pods.program, run: 'keep-1', task: `score/shards/${index}` },
    new AbortController().signal,
  );

test('the shards of a stage, each in a process of its own and all at once, make what one pod makes, to the byte', async () => {
  const pod = await toScore();
  const all = Array.from({ length: COUNT }, async (_, index) => await pods.launch(SHARDS, shard(pod, index)).ended);
  expect(await Promise.all(all)).toEqual([0, 0, 0]);
  const { status, report, said } = await pods.perform(SCORE, pod);
  expect(status).toBe(0);
  expect(said).not.toContain('made again');
  expect(report).toEqual(await undivided());
  expect(report.rowsIn).toBe(100);
});

test('the pods of shards divide the customers among them, and only the stage is recorded', async () => {
  const pod = await toScore();
  const reports = await doShards(pod);
  const rows = reports.map(({ rowsOut }) => rowsOut as number);
  expect(rows.every((count) => count > 0)).toBe(true);
  expect(rows.reduce((sum, count) => sum + count, 0)).toBe(100);
  await pods.perform(SCORE, pod);
  const [{ stages }] = await pods.rows(
    `SELECT stages FROM holdfast.runs WHERE program = '$program' AND run = 'keep-1'`,
  );
  expect(stages.map(({ name }: any) => name)).toEqual(['extract', 'filter', 'score']);
});

test('a shard that is repeated is not done again, and says the same', async () => {
  const pod = await toScore();
  const first = await doShards(pod);
  // Whoever loads a model now, fails.
  const blind = { ...pod, environment: { ...pod.environment, HOLDFAST_FILES: '/nowhere' } };
  expect(await doShards(blind)).toEqual(first);
});

test('two processes at once for one shard leave one shard', async () => {
  const pod = await toScore();
  const lock = await turn(1);
  const both = [pods.launch(SHARDS, shard(pod, 1)).ended, pods.launch(SHARDS, shard(pod, 1)).ended];
  await waits();
  await lock.release();
  expect(await Promise.all(both)).toEqual([0, 0]);
  expect(await readdir(join(artifacts(pod), 'score-1-of-3'))).toEqual(['1']);
});

test('a shard that another process is at does not keep the others waiting', async () => {
  const pod = await toScore();
  const lock = await turn(1);
  expect(await pods.perform(SHARDS, shard(pod, 0))).toMatchObject({ status: 0 });
  expect(await pods.perform(SHARDS, shard(pod, 2))).toMatchObject({ status: 0 });
  await lock.release();
});

test('a shard that is killed in the middle leaves nothing that counts, and the next try does it', async () => {
  const pod = await toScore();
  const { child, ended } = pods.launch(SHARDS, shard(pod, 2));
  const drafts = () => readdir(join(artifacts(pod), 'score-2-of-3')).catch(() => []);
  for (let found: string[] = []; found.length === 0; found = await drafts()) await pause(1);
  child.kill('SIGKILL');
  expect(await ended).toBeNull();
  await doShards(pod);
  expect(await readdir(join(artifacts(pod), 'score-2-of-3'))).toEqual(['1']);
  expect((await pods.perform(SCORE, pod)).report).toEqual(await undivided());
});

test('SIGTERM ends a shard with status 1, and the next try does it', async () => {
  const pod = await toScore();
  const lock = await turn(0);
  const { child, ended } = pods.launch(SHARDS, shard(pod, 0));
  await waits();
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  await lock.release();
  await doShards(pod);
});

test.each<[string, (pod: Pod) => Promise<void>]>([
  ['is not there, as somebody removed it', (pod) => rm(join(artifacts(pod), 'score-1-of-3'), { recursive: true })],
  ['has lost its part', (pod) => rm(partOf(pod, 1))],
  ['was changed', (pod) => writeFile(partOf(pod, 1), 'not Parquet')],
  ['has no manifest', (pod) => rm(join(partOf(pod, 1), '..', 'manifest.json'))],
])('a shard that %s is made again where it is needed, and its log says so', async (_name, spoil) => {
  const pod = await toScore();
  const reports = await doShards(pod);
  await spoil(pod);
  expect((await pods.perform(SHARDS, shard(pod, 1))).report).toEqual(reports[1]);
  await spoil(pod);
  const { status, report, said } = await pods.perform(SCORE, pod);
  expect(status).toBe(0);
  expect(said).toContain('shard 1 of 3 of the stage score is gone; it is made again');
  expect(said).not.toMatch(/shard [02] of 3/);
  expect(report).toEqual(await undivided());
});

test('gathering before any shard is done does their work, too', async () => {
  const { report } = await pods.perform(SCORE, await toScore());
  expect(report).toEqual(await undivided());
});

test('gathering waits for a shard that another process is still at', async () => {
  const pod = await toScore();
  await doShards(pod);
  const lock = await turn(2);
  const { ended } = pods.launch(SCORE, pod);
  await waits();
  await lock.release();
  expect(await ended).toBe(0);
});

/** As after a database that was restored: it knows the run with the revision that the pods have now. */
async function preparedWith({ environment }: Pod): Promise<void> {
  const { HOLDFAST_REVISION_DIGEST: digest } = environment;
  await pods.rows(`UPDATE holdfast.runs SET revision = '${digest}' WHERE program = '$program'`);
}

test('a shard of another program is never taken for one of this run', async () => {
  const pod = await toScore();
  await doShards(pod);
  const changed = await pods.podOf((spec) => {
    spec['execution'] = { shards: COUNT };
    spec['scoringModels'].reverse();
  });
  await preparedWith(changed);
  const { said } = await pods.perform(SCORE, changed);
  expect(said.match(/is made again/g)).toHaveLength(COUNT);
});

test('a shard of another input is never taken for one of this run', async () => {
  const pod = await toScore();
  const [first] = await doShards(pod);
  // As after a database that was restored: the run's stages are done again, and the warehouse has moved on.
  await rm(join(artifacts(pod), 'filter'), { recursive: true });
  const narrow = await pods.podOf((spec) => {
    spec['execution'] = { shards: COUNT };
    spec['filterChain'] = [];
  });
  await preparedWith(narrow);
  expect((await pods.perform('batch/filter/filter', narrow)).report).toMatchObject({ rowsOut: 400 });
  const again = await divided();
  await preparedWith(again);
  const { report } = await pods.perform(SHARDS, shard(again, 0));
  expect(report.rowsOut).toBeGreaterThan(first.rowsOut);
});

test('a dry run of shards leaves no trace in Postgres, and comes to the same', async () => {
  const pod = await toScore(COUNT, { HOLDFAST_DRY_RUN: 'true' });
  await doShards(pod);
  const { report, said } = await pods.perform(SCORE, pod);
  expect(said).not.toContain('made again');
  expect(await pods.rows(`SELECT * FROM holdfast.runs WHERE program = '$program'`)).toEqual([]);
  expect(report).toEqual(await undivided());
});

test.each([
  ['3', 'is 3: the stage score of this run has the shards 0 to 2'],
  ['', 'a whole number'],
  ['-1', 'a whole number'],
  ['1.0', 'a whole number'],
  ['one', 'a whole number'],
])('an index that is none of the run is refused: %j', async (index, message) => {
  const pod = await divided();
  expect(await pods.perform(SHARDS, shard(pod, index))).toMatchObject({
    status: 78,
    report: { error: { code: 'HF_USAGE', message: expect.stringContaining(message) } },
  });
});

test('a pod that is not told which shard it is says so', async () => {
  const { report } = await pods.perform(SHARDS, await pods.podOf());
  expect(report.error).toMatchObject({ code: 'HF_USAGE', message: expect.stringContaining('is not set') });
});

test('a failure of a shard that trying again cannot mend ends with status 78 and is recorded', async () => {
  const pod = await pods.podOf((spec) => {
    spec['execution'] = { shards: COUNT };
    spec['scoringModels'][0].endpoint = 'onnx://missing.onnx';
  });
  for (const task of BEFORE) await pods.perform(task, pod);
  const { status, report } = await pods.perform(SHARDS, shard(pod, 1));
  expect({ status, code: report.error.code }).toEqual({ status: 78, code: 'HF_MODEL_MISSING' });
  expect(await pods.rows(`SELECT phase FROM holdfast.runs WHERE program = '$program'`)).toEqual([{ phase: 'Failed' }]);
});
