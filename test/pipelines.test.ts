import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type LocalRun, runLocally } from '../cli/local/local-run.ts';
import type { OwnerSpec } from '../contract/owner.ts';
import { revisionDigest, revisionText } from '../contract/revision.ts';
import { everyProgram } from '../database/expiry/retired-runs.ts';
import { beginRun } from '../database/runs/begin-run.ts';
import { RUNNABLE } from '../jobs/stages.ts';
import { type Batch, openBatch } from './support/batch.ts';
import type { CohortsSpec } from './support/cohorts/split.ts';
import { WITH_CAMPAIGN } from './support/pipelines.ts';
import { openPods, type Pods } from './support/pods.ts';
import { RUNNABLE_WITH_CAMPAIGN as MORE } from './support/runnable.ts';

/* Pipelines more than this version has: one of two stages and a lane of its own, and one of a series. */
const TASKS = ['campaign/plan/migrate', 'campaign/plan/plan', 'campaign/deliver/check', 'campaign/deliver/deliver'];
const NOW = new Date('2026-11-23T09:30:00Z');

let pods: Pods;
let batch: Batch;
beforeAll(async () => {
  [pods, batch] = await Promise.all([openPods(), openBatch()]);
}, 60_000);
afterAll(async () => {
  await pods?.[Symbol.asyncDispose]();
  await batch?.[Symbol.asyncDispose]();
});
beforeEach(() => pods.next());

const phases = async () => {
  const rows = await pods.rows(`SELECT run, phase FROM holdfast.runs WHERE program = '$program' ORDER BY sequence`);
  return Object.fromEntries(rows.map(({ run, phase }) => [run, phase]));
};

/** The environment of a run's pods. */
const podOf = (run: string) => pods.podOf(() => {}, { HOLDFAST_RUN: run, HOLDFAST_RUN_UID: `uid-${run}` });

/** Runs the campaign on a laptop. */
function local<Spec extends OwnerSpec = LocalRun['spec']>(change: Partial<LocalRun<Spec>> = {}, runnable = MORE) {
  const run = {
    namespace: 'shop',
    spec: batch.context({ programId: pods.program, marketplaces: ['US', 'UK', 'DE'] }).spec,
    pipeline: 'campaign',
    slot: new Date('2026-11-23T02:00:00Z'),
    trigger: 'manual',
    dryRun: false,
    baseFolder: batch.folder,
    connectors: { sources: {} },
    artifactRoot: join(batch.folder, pods.program),
    scratchFolder: batch.folder,
    database: pods.database,
    shards: 1,
    now: () => NOW,
    ...change,
  } as LocalRun<Spec>;
  const output = { write: () => true };
  const { signal } = new AbortController();
  const io = { stdout: output, stderr: output, environment: {}, signal, now: () => NOW, elapsed: () => 0, runnable };
  return runLocally(run, io, { reused() {}, step: () => ({ advance() {}, done() {}, failed() {} }) });
}

test('on a laptop its stages are given what they name, in order, and the run is recorded', async () => {
  await pods.perform('batch/extract/migrate', await podOf('batch-1'));
  const { report, failure } = await local();
  expect(failure).toBeUndefined();
  expect(report).toMatchObject({ pipeline: 'campaign', phase: 'Succeeded' });
  expect(report.stages.map(({ name, rowsIn, rowsOut, counts }) => ({ name, rowsIn, rowsOut, counts }))).toEqual([
    { name: 'plan', rowsIn: 0, rowsOut: 3, counts: { given: 0 } },
    { name: 'deliver', rowsIn: 3, rowsOut: 3, counts: { given: { plan: 3 } } },
  ]);
  expect(await phases()).toEqual({ 'batch-1': 'Running', [report.run]: 'Succeeded' });
});

test('in pods its tasks do the same, and the batch beside it goes on', async () => {
  const [beside, pod] = [await podOf('batch-1'), await podOf('campaign-1')];
  expect(await pods.perform('batch/extract/migrate', beside)).toMatchObject({ status: 0 });
  const reports = [];
  for (const task of TASKS) {
    const { status, report } = await pods.perform(task, pod, { runnable: MORE });
    expect(status).toBe(0);
    reports.push(report);
  }
  expect(reports[1]).toMatchObject({ rowsIn: 0, rowsOut: 1, counts: { given: 0 } });
  expect(reports[3]).toMatchObject({ rowsIn: 1, rowsOut: 1, counts: { given: { plan: 1 } } });
  expect(await phases()).toEqual({ 'batch-1': 'Running', 'campaign-1': 'Succeeded' });
  expect(await pods.perform('batch/extract/extract', beside)).toMatchObject({ status: 0 });
});

test('a slot of it that has succeeded is not begun again, in a pod or on a laptop', async () => {
  await pods.perform('batch/extract/migrate', await podOf('batch-1'));
  for (const task of TASKS) await pods.perform(task, await podOf('campaign-1'), { runnable: MORE });
  const { status, said } = await pods.perform(TASKS[0]!, await podOf('campaign-2'), { runnable: MORE });
  expect([status, said]).toEqual([78, expect.stringContaining('HF_SLOT_DONE: campaign reaches people')]);
  await expect(local()).rejects.toMatchObject({ code: 'HF_SLOT_DONE' });
  // Another try of a task of its own is none.
  expect(await pods.perform(TASKS[0]!, await podOf('campaign-1'), { runnable: MORE })).toMatchObject({ status: 0 });
});

test('a run that begins marks what was left over in its own lane, and nothing in the other', async () => {
  await pods.perform('batch/extract/migrate', await podOf('batch-1'));
  await pods.perform(TASKS[0]!, await podOf('campaign-1'), { runnable: MORE });
  const { report } = await local();
  expect(await phases()).toEqual({
    'batch-1': 'Running',
    'campaign-1': 'Interrupted',
    [report.run]: 'Succeeded',
  });
});

test('on a laptop two of its runs go one after the other, and a batch is none of them', async () => {
  const common = { namespace: 'shop', owner: pods.program, slot: NOW, trigger: 'manual', revision: 'r' } as const;
  const begin = (pipeline: string) =>
    beginRun(pods.database, { ...common, run: pipeline, pipeline, startedAt: NOW }, WITH_CAMPAIGN);
  const beside = await begin('batch');
  expect((await local()).report.phase).toBe('Succeeded');
  const other = await begin('campaign');
  await expect(local()).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  await Promise.all([beside.release(), other.release()]);
});

test('without its line there is no such pipeline', async () => {
  const { status, said } = await pods.perform(TASKS[1]!, await podOf('campaign-1'));
  expect(status).toBe(78);
  expect(said).toContain('"campaign/plan/plan" is not PIPELINE/STAGE/TASK');
  await expect(local({}, RUNNABLE)).rejects.toThrow('There is no pipeline campaign.');
});

/** The environment of the pods of a run of a series, named and placed as a batch of the program of its name. */
async function podOfSeries(series: object) {
  const pod = await podOf('batch-1');
  const revision = { schemaVersion: 'v1alpha1', spec: series } as const;
  const file = `${pod.log}.series.json`;
  await writeFile(file, revisionText(revision));
  const own = { HOLDFAST_RUN_UID: 'uid-series', HOLDFAST_REVISION: file };
  return { ...pod, environment: { ...pod.environment, ...own, HOLDFAST_REVISION_DIGEST: revisionDigest(revision) } };
}

test('a series and a program of one name, with runs of one name, share nothing', async () => {
  const series: CohortsSpec = { series: pods.program, cohorts: 4 };
  const beside = await podOf('batch-1');
  expect(await pods.perform('batch/extract/migrate', beside)).toMatchObject({ status: 0 });
  const pod = await podOfSeries(series);
  const reports = [];
  for (const task of ['split/migrate', 'split/split', 'publish/publish']) {
    const done = await pods.perform(`cohorts/${task}`, pod, { runnable: MORE });
    expect(done).toMatchObject({ status: 0 });
    reports.push(done.report);
  }
  expect(reports[2]).toMatchObject({ rowsIn: 4, rowsOut: 4 });
  expect(await pods.perform('batch/extract/extract', beside)).toMatchObject({ status: 0 });
  const { report, failure } = await local({ spec: series, pipeline: 'cohorts' });
  expect([failure, report.phase, report.stages.map(({ rowsOut }) => rowsOut)]).toEqual([
    undefined,
    'Succeeded',
    [4, 4],
  ]);

  const of = `('$program', 'series.$program')`;
  expect(
    await pods.rows(`SELECT program, run, phase FROM holdfast.runs WHERE program IN ${of} ORDER BY 1, sequence`),
  ).toEqual([
    { program: pods.program, run: 'batch-1', phase: 'Running' },
    { program: `series.${pods.program}`, run: 'batch-1', phase: 'Succeeded' },
    { program: `series.${pods.program}`, run: report.run, phase: 'Succeeded' },
  ]);
  expect(await pods.rows(`SELECT program, run FROM holdfast.current_batches WHERE program IN ${of}`)).toEqual([
    { program: `series.${pods.program}`, run: report.run },
  ]);
  const root = beside.environment['HOLDFAST_ARTIFACTS'] ?? '';
  const folders = async (owner: string) => (await readdir(join(root, 'shop', owner, 'batch-1'))).toSorted();
  expect(await folders(pods.program)).toEqual(['extract', 'owner.json']);
  expect(await folders(`series.${pods.program}`)).toEqual(['owner.json', 'split']);
  expect((await everyProgram(pods.database)).map(({ owner }) => owner)).not.toContain(`series.${pods.program}`);
});
