import { expect, test } from '@jest/globals';
import type { ContainerStatus, JobObject, PodObject } from '../../kube/objects.ts';
import { troubleOf } from './trouble.ts';

/*
 * What others put into a pod before the task, as a mesh or an agent does.
 */
const NOW = new Date('2026-11-23T02:10:00Z');
const creationTimestamp = '2026-11-23T02:09:00Z';
const METADATA = { name: 'j', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp };
const JOB: JobObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: METADATA };

const waiting = (name: string, reason: string): ContainerStatus => ({
  name,
  image: `${name}:1`,
  state: { waiting: { reason } },
});
const done = (name: string, exitCode = 0): ContainerStatus => ({ name, state: { terminated: { exitCode } } });
const runs = (name: string, started?: boolean): ContainerStatus => ({
  name,
  state: { running: {} },
  ...(started === undefined ? {} : { started }),
});

const VOLUMES = { reason: 'ContainerCreating', message: 'the pod waits for its volumes: no claim' };
const initialising = (name: string) => ({
  reason: 'PodInitializing',
  message: `the pod waits for its init container ${name}`,
});

test.each<[string, readonly ContainerStatus[], object]>([
  ['one that takes long', [done('init'), runs('agent'), waiting('late', 'PodInitializing')], initialising('agent')],
  ['one that has failed', [done('agent', 1), waiting('late', 'PodInitializing')], initialising('agent')],
  ['a native sidecar that does not start', [runs('proxy', false)], initialising('proxy')],
  ['a native sidecar that has started', [done('init'), runs('proxy', true)], VOLUMES],
  ['none that has begun', [waiting('init', 'PodInitializing')], VOLUMES],
  ['none', [], VOLUMES],
  [
    'one whose image cannot be pulled',
    [done('init'), waiting('agent', 'ErrImagePull'), waiting('late', 'PodInitializing')],
    { reason: 'ImagePullBackOff', message: 'the image agent:1 cannot be pulled' },
  ],
  ['one that fails again and again', [waiting('proxy', 'CrashLoopBackOff')], { reason: 'CrashLoopBackOff' }],
])('a pod that waits is said to wait for %s', (_name, initContainerStatuses, expected) => {
  const containerStatuses = [waiting('task', 'PodInitializing')];
  const status = { phase: 'Pending', containerStatuses, initContainerStatuses };
  const pod: PodObject = { apiVersion: 'v1', kind: 'Pod', metadata: METADATA, status };
  expect(troubleOf(JOB, [pod], 'its volumes', 'no claim', NOW)).toMatchObject(expected);
});
