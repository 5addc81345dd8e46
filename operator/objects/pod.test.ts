import { expect, test } from '@jest/globals';
import { KEEP, run, STAGE_SETTINGS, storedProgram } from '../../test/support/program.ts';
import type { RunObject } from '../kube/objects.ts';
import { PLAIN_TASK_PODS, type TaskPods } from '../settings/task-pods.ts';
import { buildJob } from './job.ts';
import { buildRevision, pinnedRevision } from './revision.ts';
import { type Storage, storageOf } from './storage.ts';

/*
 * What whoever installs the operator says of the pods of programs, and what a program may say itself.
 */
const EXECUTION = storedProgram().spec.execution;

function jobFor(change: Partial<TaskPods>, execution: Partial<typeof EXECUTION> = {}, stage = 'extract'): any {
  const settings = { ...STAGE_SETTINGS, taskPods: { ...PLAIN_TASK_PODS, ...change } };
  const given = storedProgram({ execution: { ...EXECUTION, ...execution } });
  const pinned = pinnedRevision(buildRevision(KEEP, given, settings), KEEP)!;
  const metadata = { ...run().metadata, uid: 'run-uid', resourceVersion: '1', creationTimestamp: '' };
  const task = { pipeline: 'batch', stage, task: stage, attempt: 1, secrets: [] };
  const storage = storageOf(pinned.spec, settings) as Storage;
  return buildJob({ ...run(), metadata } as RunObject, new Date(0), pinned, task, storage, settings);
}

const podOf = (...given: Parameters<typeof jobFor>) => jobFor(...given).spec.template.spec;

test('as the chart comes, nothing is added to a pod', () => {
  const spec = podOf({});
  const added = ['nodeSelector', 'tolerations', 'priorityClassName', 'imagePullSecrets'];
  expect(Object.keys(spec).filter((name) => added.includes(name))).toEqual([]);
  expect(spec.securityContext).toMatchObject({ runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532 });
});

test('where pods run, before whom and with which secrets for the image', () => {
  const tolerations = [{ key: 'batch', operator: 'Exists' }];
  const nodeSelector = { pool: 'batch' };
  const spec = podOf({ nodeSelector, tolerations, priorityClassName: 'low', pullSecrets: ['registry'] });
  expect(spec).toMatchObject({
    nodeSelector,
    tolerations,
    priorityClassName: 'low',
    imagePullSecrets: [{ name: 'registry' }],
  });
});

test('a program chooses nodes among those of the installation, and none besides', () => {
  expect(podOf({}, { nodeSelector: { disk: 'ssd' } }).nodeSelector).toEqual({ disk: 'ssd' });
  expect(podOf({ nodeSelector: { pool: 'batch' } }, { nodeSelector: { pool: 'other', disk: 'ssd' } })).toMatchObject({
    nodeSelector: { pool: 'batch', disk: 'ssd' },
  });
});

test('labels and annotations are on Jobs and pods, and never in place of ours', () => {
  const plain = jobFor({});
  const ours = { ...plain.metadata.labels, ...plain.metadata.annotations };
  const stolen = Object.fromEntries(Object.keys(ours).map((name) => [name, 'stolen']));
  const job = jobFor({ labels: { ...stolen, team: 'growth' }, annotations: { ...stolen, note: 'x' } });
  for (const { metadata } of [job, job.spec.template]) {
    expect(metadata.labels).toEqual({ ...stolen, team: 'growth', ...plain.metadata.labels });
    expect(metadata.annotations).toEqual({ ...stolen, note: 'x', ...plain.metadata.annotations });
  }
});

test('a variable is added, takes the place of none of ours, and cannot quote one', () => {
  const ours = podOf({}).containers[0].env;
  const env = { HTTPS_PROXY: 'http://proxy:3128', DATABASE_URL: 'x', HOLDFAST_RUN: 'x', HOLDFAST_HOLDOUT_KEY: 'x' };
  expect(podOf({ env }).containers[0].env).toEqual([{ name: 'HTTPS_PROXY', value: env.HTTPS_PROXY }, ...ours]);
});

test('certificates of a ConfigMap are mounted, and believed', () => {
  const { containers, volumes } = podOf({ caBundle: { configMap: 'authorities', key: 'all.pem' } });
  expect(volumes).toContainEqual({
    name: 'ca',
    configMap: { name: 'authorities', items: [{ key: 'all.pem', path: 'ca.crt' }] },
  });
  const { mountPath } = containers[0].volumeMounts.find(({ name }: { name: string }) => name === 'ca');
  expect(containers[0].env).toContainEqual({ name: 'NODE_EXTRA_CA_CERTS', value: `${mountPath}/ca.crt` });
});

test('user and groups that are left out are left to the platform', () => {
  expect(podOf({ securityContext: {} }).securityContext).toEqual({
    runAsNonRoot: true,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  });
  const foreign = { runAsUser: 1_000_680_000, runAsGroup: 0, fsGroup: 1_000_680_000 };
  expect(podOf({ securityContext: foreign }).securityContext).toMatchObject(foreign);
});

test.each<[string, string | number | undefined, string | number | undefined, string | number | undefined]>([
  ['as Kubernetes is asked for nothing', undefined, undefined, undefined],
  ['as the installation says', '2', undefined, '2'],
  ['as the program says', '2', 1.5, 1.5],
  ['as the program asks for, where the installation says less', '500m', undefined, 1],
])('processors are limited %s', (_name, cpu, cpuLimit, expected) => {
  const limits = cpu === undefined ? {} : { cpu };
  const { resources } = podOf({ limits }, { cpu: 1, ...(cpuLimit === undefined ? {} : { cpuLimit }) }).containers[0];
  expect(resources.limits).toEqual({ ...(expected === undefined ? {} : { cpu: expected }), memory: '2Gi' });
});
