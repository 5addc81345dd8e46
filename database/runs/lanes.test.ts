import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { laneLockName } from '../locks/run-lock.ts';
import { beginRun, type NewRun } from './begin-run.ts';
import { joinRun } from './join-run.ts';

/*
 * Runs of one program side by side: those of one lane go one after the other, and none touches a run of another lane.
 */
const SLOT = new Date('2026-11-23T02:00:00Z');

let postgres: TestPostgres;
let programs = 0;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]();
});

/** A program of the test's own. */
function newProgram() {
  programs += 1;
  const key = { namespace: 'shop', owner: `keep-${programs}` };
  const request = (pipeline: string, run: string): NewRun & { run: string; runUid: string } => ({
    ...key,
    pipeline,
    run,
    runUid: `uid-${run}`,
    slot: SLOT,
    trigger: 'manual',
    revision: 'r',
    startedAt: SLOT,
  });
  return {
    begin: (pipeline: string, run: string) => beginRun(postgres.database, request(pipeline, run), WITH_CAMPAIGN),
    join: (pipeline: string, run: string) => joinRun(postgres.database, request(pipeline, run), WITH_CAMPAIGN),
    phases: async () => {
      const sql = 'SELECT run, phase FROM holdfast.runs WHERE program = $1 ORDER BY sequence';
      const { rows } = await postgres.database.pool.query(sql, [key.owner]);
      return Object.fromEntries(rows.map(({ run, phase }) => [run, phase]));
    },
  };
}

test('a campaign and a batch of one program run side by side, and neither marks the other as left over', async () => {
  const { begin, phases } = newProgram();
  const campaign = await begin('campaign', 'campaign-1');
  const batch = await begin('batch', 'batch-1');
  expect([campaign.interrupted, batch.interrupted]).toEqual([[], []]);
  await expect(begin('prune', 'prune-1')).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  await expect(begin('campaign', 'campaign-2')).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  await batch.release();
  const prune = await begin('prune', 'prune-1');
  expect(prune.interrupted).toEqual(['batch-1']);
  await Promise.all([prune.release(), campaign.release()]);
  expect(await phases()).toEqual({ 'campaign-1': 'Running', 'batch-1': 'Interrupted', 'prune-1': 'Running' });
});

test('on a cluster, too, a run takes the turn of those of its lane only', async () => {
  const { join, phases } = newProgram();
  await join('campaign', 'campaign-1');
  await join('batch', 'batch-1');
  expect(await phases()).toEqual({ 'campaign-1': 'Running', 'batch-1': 'Running' });
  await join('prune', 'prune-1');
  await expect(join('batch', 'batch-1')).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  expect(await phases()).toEqual({ 'campaign-1': 'Running', 'batch-1': 'Interrupted', 'prune-1': 'Running' });
});

test('a run on a laptop keeps out the runs of a cluster in its lane, and no others', async () => {
  const { begin, join } = newProgram();
  const campaign = await begin('campaign', 'campaign-1');
  await expect(join('campaign', 'campaign-2')).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
  expect(await join('batch', 'batch-1')).toMatchObject({ sequence: 2 });
  await campaign.release();
});

test('a version without lanes, whose lock is that of the program, and this one keep each other out', () => {
  expect(laneLockName({ namespace: 'shop', owner: 'keep', lane: 'batch' })).toBe('holdfast run shop/keep');
  expect(laneLockName({ namespace: 'shop', owner: 'keep', lane: 'outreach' })).toBe('holdfast run shop/keep/outreach');
});

test('a pipeline that is in no table is none', async () => {
  await expect(newProgram().begin('constructor', 'x')).rejects.toThrow('There is no pipeline constructor.');
});
