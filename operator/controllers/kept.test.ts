import { expect, test } from '@jest/globals';
import { storedProgram } from '../../test/support/program.ts';
import type { KubeObject } from '../kube/api.ts';
import type { JobObject, PodObject, ProgramObject } from '../kube/objects.ts';
import { kept } from './kept.ts';

const METADATA = {
  name: 'one',
  namespace: 'shop',
  uid: 'u1',
  resourceVersion: '7',
  generation: 2,
  creationTimestamp: '2026-11-23T02:00:00Z',
};
const OWNER = { apiVersion: 'batch/v1', kind: 'Job', name: 'a', uid: 'u0', controller: true };
const LOUD = {
  ...METADATA,
  labels: { some: 'label' },
  finalizers: ['somebody.example/waits'],
  managedFields: [{ manager: 'kubectl' }],
  ownerReferences: [{ ...OWNER, uid: 'u9', controller: false }, OWNER],
  annotations: { 'somebody.example/note': 'x'.repeat(1000), 'holdfast.dev/suspended': 'true' },
};
const QUIET = { ...METADATA, ownerReferences: [OWNER], annotations: { 'holdfast.dev/suspended': 'true' } };

test('of metadata what the operator reads is kept, and not what others have written into it', () => {
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: LOUD, spec: { suspend: true, template: {} } };
  expect(kept(job as JobObject)).toEqual({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: QUIET,
    spec: { suspend: true },
    status: {},
  });
});

test('of a pod its own container is kept, and of what else runs in it whether it does', () => {
  const task = { name: 'task', image: 'holdfast:1', state: { terminated: { exitCode: 0 } } };
  const said = { exitCode: 1, message: 'x'.repeat(4096) };
  const others = [
    { name: 'waits', image: 'other:1', state: { waiting: { reason: 'PodInitializing' } } },
    { name: 'runs', image: 'other:1', state: { running: { startedAt: METADATA.creationTimestamp } } },
    { name: 'failed', state: { terminated: said } },
    ...Array.from({ length: 20 }, (_, index) => ({ name: `more-${index}` })),
  ];
  const [first, ...rest] = others;
  const status = { phase: 'Succeeded', containerStatuses: [first, task, ...rest], podIPs: [] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: METADATA, spec: { containers: [] }, status };
  expect(kept(pod as PodObject)).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: METADATA,
    status: {
      phase: 'Succeeded',
      containerStatuses: [
        task,
        { name: 'waits' },
        { name: 'runs', state: { running: {} } },
        { name: 'failed', state: { terminated: { exitCode: 1 } } },
        ...others.slice(3, 8),
      ],
    },
  });
});

test('of what goes before a task the one is kept that it waits for', () => {
  const initContainerStatuses = [
    { name: 'init', state: { terminated: { exitCode: 0 } } },
    { name: 'agent', image: 'vault:1', state: { waiting: { reason: 'ErrImagePull' } } },
    { name: 'late', state: { waiting: { reason: 'PodInitializing' } } },
  ];
  const known = (phase: string) => {
    const status = { phase, initContainerStatuses };
    const pod: PodObject = { apiVersion: 'v1', kind: 'Pod', metadata: METADATA, status };
    return kept(pod).status;
  };
  expect(known('Pending')).toEqual({ phase: 'Pending', initContainerStatuses: [initContainerStatuses[1]] });
  expect(known('Running')).toEqual({ phase: 'Running' });
});

test.each<[string, (program: ProgramObject) => ProgramObject, boolean]>([
  ['whose status has changed', (one) => ({ ...one, status: { observedGeneration: 1 } }), true],
  ['that was edited', (one) => ({ ...one, metadata: { ...one.metadata, generation: 2 } }), false],
  ['that was made anew', (one) => ({ ...one, metadata: { ...one.metadata, uid: 'another' } }), false],
])('the spec of a program %s is what follows from its generation', (_name, change, isSame) => {
  const before = kept(storedProgram());
  const after = change(storedProgram());
  const known = kept(after, before);
  expect(known.spec).toBe(isSame ? before.spec : after.spec);
  expect(known.status).toEqual(after.status);
});

test('of a spec that is too large only its id and whether it is on are kept', () => {
  const large = kept(storedProgram({ programName: 'x'.repeat(300_000), enabled: false }));
  expect(large.spec).toEqual({ programId: 'keep', enabled: false });
  expect(large.unread).toMatch(/^spec has 30\d{4} bytes; at most 262144 are allowed$/);
  const noted: KubeObject = { ...storedProgram({ enabled: true }), status: { observedGeneration: 1 } };
  expect(kept(noted as ProgramObject, large)).toMatchObject({ spec: large.spec, unread: large.unread });
});
