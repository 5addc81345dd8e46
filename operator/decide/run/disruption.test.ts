import { expect, test } from '@jest/globals';
import { PIPELINES } from '../../../contract/pipelines.ts';
import { KEEP, run, STAGE_SETTINGS, storedProgram } from '../../../test/support/program.ts';
import type { JobObject, PodObject, RunObject } from '../../kube/objects.ts';
import { buildRevision, pinnedRevision } from '../../objects/revision.ts';
import { NO_ATTEMPTS } from '../action.ts';
import { decideRun } from './run.ts';
import type { RunSnapshot } from './snapshot.ts';

const NOW = new Date('2026-11-23T02:10:00Z');
const SLOT = '2026-11-23T02:00:00Z';
const PROGRAM = storedProgram();
const REVISION = buildRevision(KEEP, PROGRAM, STAGE_SETTINGS);
const stored = (name: string, creationTimestamp: string) => ({
  name,
  namespace: 'shop',
  uid: `${name}-uid`,
  resourceVersion: '1',
  creationTimestamp,
});
const JOB: JobObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: stored('weekly-filter-1', '2026-11-23T02:05:00Z'),
  spec: {},
  status: { startTime: '2026-11-23T02:05:00Z' },
};

/** A run in its filter, with what was said of it before. */
function world(change: Partial<RunSnapshot> = {}, status?: RunObject['status']): RunSnapshot {
  const pinned = pinnedRevision(REVISION, KEEP)!;
  const filter = { name: 'filter', phase: 'Running' as const, task: 'filter', job: JOB.metadata.name, attempt: 1 };
  const begun = {
    phase: 'Running' as const,
    revision: pinned.name,
    revisionDigest: pinned.identity,
    slot: SLOT,
    startTime: SLOT,
    stages: [filter],
  };
  return {
    run: { ...run('weekly', { slot: SLOT }), metadata: stored('weekly', SLOT), status: status ?? begun } as RunObject,
    program: PROGRAM,
    others: [],
    begun: new Set(),
    succeeded: [],
    hasRoom: true,
    twins: [],
    revision: REVISION,
    jobs: new Map([[JOB.metadata.name, JOB]]),
    pods: [],
    lastWarning: undefined,
    attempts: NO_ATTEMPTS,
    settings: STAGE_SETTINGS,
    pipelines: PIPELINES,
    ...change,
  };
}

function pod(name: string, status: PodObject['status'], leaving = false): PodObject {
  const metadata = stored(name, '2026-11-23T02:08:00Z');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: leaving ? { ...metadata, deletionTimestamp: '2026-11-23T02:09:59Z' } : metadata,
    ...(status === undefined ? {} : { status }),
  };
}

const target = (reason: string, message: string): PodObject['status'] => ({
  phase: 'Running',
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason, message }],
});
const EVICTED = pod('weekly-filter-1-x7k2p', target('EvictionByEvictionAPI', 'Eviction API: evicting'), true);
const ended = (status: PodObject['status'], finishedAt: string): PodObject['status'] => ({
  ...status,
  phase: 'Failed',
  containerStatuses: [{ name: 'task', state: { terminated: { exitCode: 137, reason: 'Error', finishedAt } } }],
});

function told(snapshot: RunSnapshot, at = NOW) {
  const { actions, status, requeueAt } = decideRun(snapshot, at);
  const condition = status.conditions?.find(({ type }) => type === 'Reconciling');
  const events = actions.flatMap((action) => (action.do === 'event' ? [action.reason] : []));
  return { reason: condition?.reason, message: condition?.message, events, status, requeueAt };
}

const WHO = 'filter/filter: its pod weekly-filter-1-x7k2p';

test.each<[string, PodObject, string]>([
  [
    'is being evicted, such as by a drain',
    EVICTED,
    'was evicted (EvictionByEvictionAPI: Eviction API: evicting); another is made once it has ended',
  ],
  [
    'is preempted',
    pod(
      'weekly-filter-1-x7k2p',
      target('PreemptionByScheduler', 'preempting to accommodate a higher priority pod'),
      true,
    ),
    'was preempted (PreemptionByScheduler: preempting to accommodate a higher priority pod); another is made once it has ended',
  ],
  [
    'was on a node that is lost',
    pod('weekly-filter-1-x7k2p', target('DeletionByTaintManager', 'deleting due to NoExecute taint'), true),
    'was deleted with a taint of its node, which may be lost (DeletionByTaintManager: deleting due to NoExecute taint); another is made once it has ended',
  ],
  [
    'was evicted by its node for want of memory, and has ended',
    pod('weekly-filter-1-x7k2p', ended(target('TerminationByKubelet', 'low on memory'), '2026-11-23T02:09:55Z')),
    'was ended by its node (TerminationByKubelet: low on memory); the Job makes another by 2026-11-23T02:10:05Z',
  ],
  [
    'was evicted by a node that does not say more',
    pod('weekly-filter-1-x7k2p', { ...ended({}, '2026-11-23T02:09:55Z'), reason: 'Evicted', message: 'low on disk' }),
    'was evicted (low on disk); the Job makes another by 2026-11-23T02:10:05Z',
  ],
])('a pod that %s is told as such, and as no failure', (_name, one, message) => {
  const said = told(world({ pods: [one] }));
  expect(said).toMatchObject({
    reason: 'PodDisrupted',
    message: `${WHO} ${message}`,
    events: ['TaskDisrupted'],
  });
});

test.each([
  [1, '2026-11-23T02:10:10Z'],
  [2, '2026-11-23T02:10:20Z'],
  [6, '2026-11-23T02:15:20Z'],
  [7, '2026-11-23T02:20:00Z'],
  [40, '2026-11-23T02:20:00Z'],
  [undefined, '2026-11-23T02:20:00Z'],
])('once it is gone the run says until when the Job waits: after pod %s until %s', (made, until) => {
  const first = told(world({ pods: [EVICTED] }));
  const history = { gone: 'weekly-filter-1-x7k2p', ...(made === undefined ? {} : { made }) };
  const second = told(world({ history }, first.status));
  expect(second).toMatchObject({
    reason: 'PodDisrupted',
    message: `${WHO} was evicted (EvictionByEvictionAPI: Eviction API: evicting); the Job makes another by ${until}`,
    events: [],
    requeueAt: new Date(Date.parse(until) + 30_000),
  });
  // Looked at again it is the same.
  const third = told(world({ history }, second.status), new Date('2026-11-23T02:10:04Z'));
  expect(third.message).toBe(second.message);
  expect(third.status.stages).toEqual(second.status.stages);
});

test('who may not read events is told of the eviction all the same', () => {
  const first = told(world({ pods: [EVICTED] }));
  expect(told(world({}, first.status))).toMatchObject({ reason: 'PodDisrupted', events: [] });
});

test('a pod that is gone, and was never seen to be evicted, is told as gone', () => {
  const said = told(world({ history: { gone: 'weekly-filter-1-x7k2p', made: 1 } }));
  expect(said).toMatchObject({
    reason: 'PodDisrupted',
    message: `${WHO} is no more: somebody deleted it, or its node is gone; the Job makes another by 2026-11-23T02:10:10Z`,
    events: ['TaskDisrupted'],
  });
});

test('a second eviction is told anew, and waits for longer', () => {
  const first = told(world({ history: { gone: 'weekly-filter-1-x7k2p', made: 1 } }));
  const second = told(world({ history: { gone: 'weekly-filter-1-q9zbd', made: 2 } }, first.status));
  expect(second).toMatchObject({
    message: expect.stringMatching(/weekly-filter-1-q9zbd .* by 2026-11-23T02:10:20Z$/),
    events: ['TaskDisrupted'],
  });
});

test('where the next pod may not be made, it is that which is told', () => {
  const first = told(world({ pods: [EVICTED] }));
  expect(told(world({ lastWarning: 'FailedCreate: exceeded quota' }, first.status))).toMatchObject({
    reason: 'NoPod',
    message: 'filter/filter: no pod was made for the Job: FailedCreate: exceeded quota',
    events: ['TaskStuck'],
  });
});

test('a Job that makes no pod when it should have is stuck', () => {
  const history = { gone: 'weekly-filter-1-x7k2p', made: 1 };
  const first = told(world({ history }));
  const late = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
  expect(told(world({ history }, first.status), late(39)).reason).toBe('PodDisrupted');
  expect(told(world({ history }, first.status), late(41)).reason).toBe('NoPod');
});

test('once the next pod is there nothing is left of it', () => {
  const first = told(world({ pods: [EVICTED] }));
  const next = pod('weekly-filter-1-q9zbd', { phase: 'Running' });
  const healed = told(world({ pods: [EVICTED, next] }, first.status));
  expect(healed).toMatchObject({ reason: 'Running', events: [] });
  expect(healed.status.stages?.[0]).not.toHaveProperty('message');
  const gone = told(world({ history: { gone: 'weekly-filter-1-x7k2p', made: 1 } }, first.status));
  expect(told(world({ pods: [next] }, gone.status)).status.stages?.[0]).not.toHaveProperty('nextTryTime');
});
