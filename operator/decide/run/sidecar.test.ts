import { expect, test } from '@jest/globals';
import type { JobObject, PodObject } from '../../kube/objects.ts';
import { type EndedApart, endedApart, isMarkedDone, markDone } from './sidecar.ts';

const NOW = new Date('2026-11-23T02:10:00Z');
const LONG_AGO = '2026-11-23T02:09:00Z';
const JUST_NOW = '2026-11-23T02:09:55Z';
const METADATA = { name: 'j', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: LONG_AGO };

function job(type?: string, completions?: number): JobObject {
  const conditions = type === undefined ? [] : [{ type, status: 'True', reason: 'DeadlineExceeded' }];
  const spec = completions === undefined ? {} : { completions };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: METADATA, spec, status: { conditions } };
}

interface Given {
  readonly phase?: string;
  /** Exit status of the task; undefined: it goes on. */
  readonly exit?: number;
  readonly at?: string;
  /** Other containers: running, or with this exit status. */
  readonly beside?: Readonly<Record<string, 'runs' | number>>;
  readonly shard?: number;
  readonly leaving?: boolean;
}

function pod({ phase = 'Running', exit, at = LONG_AGO, beside = {}, shard, leaving }: Given): PodObject {
  const others = Object.entries(beside).map(([name, state]) => ({
    name,
    state: state === 'runs' ? { running: {} } : { terminated: { exitCode: state } },
  }));
  const state = exit === undefined ? { running: {} } : { terminated: { exitCode: exit, finishedAt: at } };
  const annotations = shard === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(shard) };
  const deletion = leaving === true ? { deletionTimestamp: JUST_NOW } : {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...METADATA, annotations, ...deletion },
    status: { phase, containerStatuses: [{ name: 'task', state }, ...others] },
  };
}

const ISTIO = { 'istio-proxy': 'runs' } as const;
const HELD: EndedApart = {
  ended: { task: 'succeeded', because: 'ended with 0, but the container istio-proxy keeps its pod running' },
};
const failed = (task: 'failed' | 'failed for good', exit: number): EndedApart => ({
  ended: { task, because: `ended with ${exit}, but the container istio-proxy keeps its pod running` },
});

test.each<[string, JobObject, readonly Given[], EndedApart | undefined]>([
  ['a task that goes on beside another container', job(), [{ beside: ISTIO }], undefined],
  ['a task that has ended, whose pod is about to', job(), [{ exit: 0 }], undefined],
  ['a task that has ended with its pod', job(), [{ phase: 'Succeeded', exit: 0, beside: { log: 0 } }], undefined],
  ['a Job that is complete', job('Complete'), [{ exit: 0, beside: ISTIO }], undefined],
  ['no pod', job(), [], undefined],
  [
    'another container that may yet end by itself',
    job(),
    [{ exit: 0, at: JUST_NOW, beside: ISTIO }],
    { due: new Date('2026-11-23T02:10:05Z') },
  ],
  ['another container that does not', job(), [{ exit: 0, beside: ISTIO }], HELD],
  ['one whose end is not known', job(), [{ exit: 0, at: 'x', beside: ISTIO }], HELD],
  [
    'two that do not',
    job(),
    [{ exit: 0, beside: { 'vault-agent': 'runs', 'istio-proxy': 'runs' } }],
    {
      ended: {
        task: 'succeeded',
        because: 'ended with 0, but the containers istio-proxy, vault-agent keep its pod running',
      },
    },
  ],
  [
    'one that fails once the task has ended well',
    job(),
    [{ phase: 'Failed', exit: 0, at: JUST_NOW, beside: { 'vault-agent': 1 } }],
    { ended: { task: 'succeeded', because: 'ended with 0, but the container vault-agent failed beside it' } },
  ],
  ['a task that may be tried again', job(), [{ exit: 1, beside: ISTIO }], failed('failed', 1)],
  ['a task that may not', job(), [{ exit: 78, beside: ISTIO }], failed('failed for good', 78)],
  ['a failed task whose pod is on its way out', job(), [{ exit: 1, beside: ISTIO, leaving: true }], undefined],
  ['a task that failed before, and is tried again', job(), [{ phase: 'Failed', exit: 1 }, {}], undefined],
  [
    'a deadline that passes while another container goes on',
    job('FailureTarget'),
    [{ exit: 0, at: JUST_NOW, beside: ISTIO, leaving: true }],
    { ended: { task: 'succeeded', because: 'ended with 0, though its Job failed' } },
  ],
  ['a deadline that passes while the task goes on', job('Failed'), [{ beside: ISTIO }], undefined],
  ['a failed task of a Job that fails', job('Failed'), [{ exit: 1, beside: ISTIO }], undefined],
  [
    'shards of which one goes on',
    job(undefined, 2),
    [
      { shard: 0, exit: 0, beside: ISTIO },
      { shard: 1, beside: ISTIO },
    ],
    undefined,
  ],
  ['shards of which one has no pod yet', job(undefined, 2), [{ shard: 0, exit: 0, beside: ISTIO }], undefined],
  [
    'shards that are all done, one with its pod',
    job(undefined, 2),
    [
      { shard: 0, exit: 0, beside: ISTIO },
      { shard: 1, exit: 0, phase: 'Succeeded' },
    ],
    HELD,
  ],
  [
    'shards of which one has failed',
    job(undefined, 2),
    [
      { shard: 0, exit: 0, beside: ISTIO },
      { shard: 1, exit: 1, beside: ISTIO },
    ],
    failed('failed', 1),
  ],
])('%s', (_name, given, pods, expected) => {
  expect(endedApart(given, pods.map(pod), NOW)).toEqual(expected);
});

test('a Job is marked once', () => {
  const [action] = markDone(job());
  expect(action).toMatchObject({ do: 'patch', patch: { metadata: { annotations: { 'holdfast.dev/done': 'true' } } } });
  const marked = { ...job(), metadata: { ...METADATA, annotations: { 'holdfast.dev/done': 'true' } } };
  expect([isMarkedDone(job()), isMarkedDone(marked), markDone(marked)]).toEqual([false, true, []]);
});
