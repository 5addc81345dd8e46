import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { PipelineStatus } from '../../crds/index.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { WITH_CAMPAIGN } from '../support/pipelines.ts';
import { program, run } from '../support/program.ts';

/*
 * A real API server with the kinds of another table of pipelines: with a campaign, which reaches people, and a report.
 */
const API = '/apis/holdfast.dev/v1alpha1/namespaces/default';
const testOnServer = await testOnControlPlane(['kubectl']);
let plane: ControlPlane;

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false, pipelines: WITH_CAMPAIGN });
}, 120_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

const inDefault = (object: ReturnType<typeof run>) => ({
  ...object,
  metadata: { ...object.metadata, namespace: 'default' },
});

const retryOf = { name: 'earlier', uid: '6f1c2f2e-52f3-4c7a-9d4b-0c8f6d6b2a11' };

testOnServer.each<[string, object, RegExp | undefined]>([
  ['a campaign', { pipeline: 'campaign' }, undefined],
  ['a campaign of the past', { pipeline: 'campaign', trigger: 'backfill' }, /there is no backfill of campaign/],
  ['a report of the past', { pipeline: 'report', trigger: 'backfill' }, undefined],
  ['a retry from a stage of it', { pipeline: 'campaign', trigger: 'retry', retryOf, fromStage: 'deliver' }, undefined],
  [
    'a retry from a stage of another',
    { pipeline: 'report', trigger: 'retry', retryOf, fromStage: 'deliver' },
    /plan, deliver of campaign/,
  ],
  ['a pipeline of no table', { pipeline: 'mission' }, /Unsupported value: "mission"/],
])('a run of %s', async (_name, spec, refused) => {
  const { status, body } = await plane.request('POST', `${API}/retentionruns?dryRun=All`, inDefault(run('one', spec)));
  expect(status).toBe(refused === undefined ? 201 : 422);
  if (refused !== undefined) expect(body.message).toMatch(refused);
});

const SLOT = '2026-11-23T02:00:00Z';
const LAST: PipelineStatus['lastRun'] = { name: 'keep-20261123t0200z', slot: SLOT, phase: 'Succeeded', candidates: 12 };
const PIPELINES: readonly PipelineStatus[] = [
  {
    name: 'campaign',
    lastRun: { name: 'other', slot: SLOT, phase: 'Failed' },
    nextSlot: '2026-12-01T00:00:00Z',
    waitsFor: 'keep-20261123t0200z-campaign',
  },
  { name: 'batch', schedule: '0 2 * * MON UTC', since: SLOT, nextSlot: '2026-11-30T02:00:00Z', lastRun: LAST },
];
const CONDITIONS = [
  { type: 'Ready', status: 'True', reason: 'Scheduled', message: 'runs', lastTransitionTime: SLOT },
  { type: 'LastRunSucceeded', status: 'True', reason: 'Succeeded', message: 'done', lastTransitionTime: SLOT },
];

testOnServer('kubectl shows of a program whether it is ready, how its batch went and when it is due', async () => {
  const made = await plane.request('POST', `${API}/retentionprograms`, inDefault(program()));
  expect(made.status).toBe(201);
  const { apiVersion, kind } = made.body;
  const patch = {
    apiVersion,
    kind,
    metadata: { name: 'keep' },
    status: { pipelines: PIPELINES, conditions: CONDITIONS },
  };
  const path = `${API}/retentionprograms/keep/status?fieldManager=test&force=true`;
  const applied = await plane.request('PATCH', path, patch, 'application/apply-patch+yaml');
  expect(applied.body.status.pipelines).toEqual(PIPELINES);
  const { kubectl } = await findBinaries(['kubectl']);
  const { stdout } = await promisify(execFile)(kubectl, ['--kubeconfig', plane.kubeconfig, 'get', 'rp']);
  const [head = '', row = ''] = stdout.split('\n');
  const columns = (line: string) => line.trim().split(/ {2,}/).slice(0, -1);
  expect([columns(head), columns(row)]).toEqual([
    ['NAME', 'READY', 'REASON', 'SCHEDULE', 'LAST RUN', 'CANDIDATES', 'OUTCOME', 'NEXT'],
    ['keep', 'True', 'Scheduled', '0 2 * * MON', 'Succeeded', '12', 'Succeeded', '2026-11-30T02:00:00Z'],
  ]);
});

testOnServer('an operator of before may still write how it was', async () => {
  const made = await plane.request('POST', `${API}/retentionprograms`, inDefault(program({ programId: 'old' }, 'old')));
  const { apiVersion, kind } = made.body;
  const followed = { schedule: '0 2 * * MON UTC', since: SLOT, lastSlot: SLOT };
  const status = { batch: followed, prune: followed, lastRun: LAST, nextSlot: SLOT };
  const path = `${API}/retentionprograms/old/status?fieldManager=test&force=true`;
  const patch = { apiVersion, kind, metadata: { name: 'old' }, status };
  const { body } = await plane.request('PATCH', path, patch, 'application/apply-patch+yaml');
  expect(body.status).toEqual(status);
});
