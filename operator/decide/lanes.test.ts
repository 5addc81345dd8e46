import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { run, STAGE_SETTINGS, storedProgram } from '../../test/support/program.ts';
import type { RunObject } from '../kube/objects.ts';
import { type Action, NO_ATTEMPTS } from './action.ts';
import { decideProgram } from './program/program.ts';
import { decideRun } from './run/run.ts';

/*
 * A pipeline that one entry of the table adds, with a lane of its own, beside those that there are.
 */
const SLOT = '2026-11-23T02:00:00Z';
const NOW = new Date('2026-11-23T02:00:10Z');
const PROGRAM = storedProgram({ schedules: { prune: '0 2 * * *', campaign: '0 2 * * MON' } });

/** A run under way, or yet to be looked at. */
function runOf(pipeline: string, status?: RunObject['status']): RunObject {
  const made = run(pipeline, { pipeline: pipeline as never, slot: SLOT });
  const metadata = { name: pipeline, namespace: 'shop', uid: `${pipeline}-uid`, resourceVersion: '1' };
  const created = { ...metadata, creationTimestamp: SLOT };
  return { ...made, metadata: created, ...(status === undefined ? {} : { status }) } as RunObject;
}

/** The campaign comes after a batch of its slot. */
const DONE = runOf('batch', { phase: 'Succeeded', slot: SLOT });
const RUNNING: RunObject['status'] = { phase: 'Running', startTime: SLOT };
const common = {
  hasRoom: true,
  succeeded: [],
  twins: [],
  attempts: NO_ATTEMPTS,
  settings: STAGE_SETTINGS,
  pipelines: WITH_CAMPAIGN,
};

const made = (actions: readonly Action[], kind: string) =>
  actions.flatMap((action) => (action.do === 'create' && action.object.kind === kind ? [action.object as any] : []));

test('of pipelines that are due at once the first of each lane is made, and each is followed on its own', () => {
  const decide = (runs: readonly RunObject[]) =>
    decideProgram({ program: PROGRAM, runs, pinned: new Set(), revisions: [], ...common }, NOW);
  const { actions, status } = decide([]);
  const pipelines = made(actions, 'RetentionRun').map(({ spec }) => spec.pipeline);
  expect(pipelines).toEqual(['batch', 'campaign']);
  expect(status.pipelines).toMatchObject([
    { name: 'batch' },
    { name: 'prune' },
    { name: 'campaign', schedule: '0 2 * * MON UTC' },
  ]);
  const beside = (running: string) => made(decide([runOf(running, RUNNING)]).actions, 'RetentionRun');
  expect(beside('campaign').map(({ spec }) => spec.pipeline)).toEqual(['batch']);
  expect(beside('batch').map(({ spec }) => spec.pipeline)).toEqual(['campaign']);
});

const begin = (pipeline: string, other: string) => {
  const others = [runOf(other, RUNNING)];
  const nothing = { revision: undefined, jobs: new Map(), pods: [], lastWarning: undefined };
  const snapshot = { run: runOf(pipeline), program: PROGRAM, others, begun: new Set([`${other}-uid`]) };
  return decideRun({ ...snapshot, ...nothing, ...common, succeeded: [DONE] }, NOW);
};

test.each([
  ['a campaign begins beside a batch', 'campaign', 'batch', 'Running'],
  ['a batch begins beside a campaign', 'batch', 'campaign', 'Running'],
  ['a prune waits for a batch', 'prune', 'batch', 'WaitingForRun'],
  ['a campaign waits for another', 'campaign', 'campaign', 'WaitingForRun'],
  ['a batch begins beside a run of a pipeline that nobody knows', 'batch', 'unheard-of', 'Running'],
  ["a batch begins beside a run of a series' pipeline", 'batch', 'cohorts', 'Running'],
])('%s', (_name, pipeline, other, reason) => {
  const { status } = begin(pipeline, other);
  expect(status.conditions?.find(({ type }) => type === 'Reconciling')?.reason).toBe(reason);
});

test('its first Job is that of its own first task', () => {
  const [job] = made(begin('campaign', 'batch').actions, 'Job');
  expect(job.spec.template.spec.containers[0].args).toEqual(['jobs/main.js', 'campaign/plan/migrate']);
});
