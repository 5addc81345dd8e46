import { expect, test } from '@jest/globals';
import type { Secret } from '../../contract/credentials.ts';
import { PIPELINES, secretsOf } from '../../contract/pipelines.ts';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { KEEP, POSTGRES, run, STAGE_SETTINGS, storedProgram } from '../../test/support/program.ts';
import type { RunObject } from '../kube/objects.ts';
import { buildJob, jobName } from './job.ts';
import type { TaskAttempt } from './pod.ts';
import { buildRevision, pinnedRevision } from './revision.ts';
import { buildRun } from './run.ts';
import { type Storage, storageOf } from './storage.ts';

const SLOT = new Date('2026-11-23T02:00:00Z');
const TASK = { pipeline: 'batch', stage: 'extract', task: 'migrate', attempt: 1 };

/** A task with what the table of pipelines gives it. */
function withSecrets(task: Omit<TaskAttempt, 'secrets'>): TaskAttempt {
  const stage = Object.values(PIPELINES)
    .flatMap(({ stages }) => stages)
    .find(({ name }) => name === task.stage);
  return { ...task, secrets: secretsOf(stage!, stage!.tasks.find(({ name }) => name === task.task)!) };
}

function jobFor(spec: Parameters<typeof storedProgram>[0] = {}, task: Omit<TaskAttempt, 'secrets'> = TASK): any {
  const pinned = pinnedRevision(buildRevision(KEEP, storedProgram(spec), STAGE_SETTINGS), KEEP)!;
  const made = run();
  const owner = {
    ...made,
    metadata: { ...made.metadata, uid: 'run-uid', resourceVersion: '1', creationTimestamp: '' },
  } as RunObject;
  return buildJob(
    owner,
    SLOT,
    pinned,
    withSecrets(task),
    storageOf(pinned.spec, STAGE_SETTINGS) as Storage,
    STAGE_SETTINGS,
  );
}

const environmentOf = (job: any) =>
  Object.fromEntries(
    job.spec.template.spec.containers[0].env.map((one: any) => [one.name, one.value ?? one.valueFrom]),
  );

/** All that there are. */
const SECRETS: readonly Secret[] = ['connections', 'modelTokens', 'holdoutKey'];

test('names that are cut to the same beginning differ', () => {
  const long = 'p'.repeat(70);
  const names = ['a', 'b'].flatMap((end) => [1, 2].map((attempt) => jobName(`${long}${end}`, { ...TASK, attempt })));
  expect(new Set(names).size).toBe(4);
});

test('a slot is in the name of its run to the minute', () => {
  expect(buildRun(storedProgram(), SLOT).metadata.name).toBe('keep-20261123t0200z');
});

test('what a revision holds is worked out once for a spec, however often it is asked for', () => {
  let looks = 0;
  const spec = storedProgram().spec;
  Object.defineProperty(spec, 'programName', { enumerable: true, get: () => `look ${(looks += 1)}` });
  const settings = { ...STAGE_SETTINGS };
  const first = buildRevision(KEEP, { ...storedProgram(), spec }, settings);
  const asked = looks;
  expect(buildRevision(KEEP, { ...storedProgram(), spec }, settings)).toEqual(first);
  expect(looks).toBe(asked);
  const other = buildRevision(KEEP, { ...storedProgram(), spec }, { ...settings, image: 'holdfast:other' });
  expect(other.metadata.name).not.toBe(first.metadata.name);
});

test('the run of a slot belongs to its program', () => {
  expect(buildRun(storedProgram(), SLOT)).toMatchObject({
    metadata: {
      namespace: 'shop',
      ownerReferences: [{ uid: 'program-uid', controller: true, blockOwnerDeletion: true }],
    },
    spec: { programRef: { name: 'keep' }, slot: '2026-11-23T02:00:00Z', trigger: 'schedule' },
  });
});

test('equal programs have one revision; another spec, image or volume another; turning it off and on the same', () => {
  const name = (program: ReturnType<typeof storedProgram>, change = {}) =>
    buildRevision(KEEP, program, { ...STAGE_SETTINGS, ...change }).metadata.name;
  expect(name(storedProgram())).toBe(name(storedProgram({}, { metadata: { generation: 9 } })));
  expect(name(storedProgram())).toBe(name(storedProgram({ enabled: false })));
  expect(name(storedProgram())).not.toBe(name(storedProgram({ programName: 'Another' })));
  expect(name(storedProgram())).not.toBe(name(storedProgram(), { image: 'another' }));
  expect(name(storedProgram())).not.toBe(name(storedProgram(), { artifactsClaim: 'another' }));
});

test('a revision reads back as what was pinned, and one that was edited does not', () => {
  const made = buildRevision(KEEP, storedProgram(), { ...STAGE_SETTINGS, image: 'holdfast@sha256:1' });
  expect(made.immutable).toBe(true);
  expect(pinnedRevision(made, KEEP)).toMatchObject({
    name: made.metadata.name,
    image: 'holdfast@sha256:1',
    spec: { programId: 'keep', storage: { artifacts: { claimName: STAGE_SETTINGS.artifactsClaim } } },
  });
  const text = made.data!['revision.json']!;
  expect(
    pinnedRevision({ ...made, data: { ...made.data, 'revision.json': text.replace('"Keep"', '"Kept"') } }, KEEP),
  ).toBeUndefined();
  expect(pinnedRevision({ ...made, data: { ...made.data, image: 'evil' } }, KEEP)).toBeUndefined();
  expect(pinnedRevision({ ...made, data: {} }, KEEP)).toBeUndefined();
  expect(pinnedRevision(made, { ...KEEP, name: 'another' })).toBeUndefined();
});

const labelsOf = ({ metadata, spec }: any) => [
  metadata.labels,
  ...(spec === undefined ? [] : [spec.template.metadata.labels]),
];
const PRODUCT = { 'app.kubernetes.io/name': 'holdfast', 'app.kubernetes.io/managed-by': 'holdfast' };

test('the objects of a program keep the labels by which those of an earlier version are found', () => {
  const shared = { ...PRODUCT, 'app.kubernetes.io/part-of': 'keep', 'holdfast.dev/program': 'keep' };
  const task = {
    ...shared,
    'app.kubernetes.io/component': 'task',
    'holdfast.dev/run': 'by-hand',
    'holdfast.dev/stage': 'extract',
    'holdfast.dev/task': 'migrate',
    'holdfast.dev/attempt': '1',
  };
  expect(labelsOf(jobFor())).toEqual([task, task]);
  const revision = buildRevision(KEEP, storedProgram(), STAGE_SETTINGS);
  expect(labelsOf(revision)).toEqual([{ ...shared, 'app.kubernetes.io/component': 'revision' }]);
  expect(labelsOf({ metadata: buildRun(storedProgram(), SLOT).metadata })).toEqual([
    { ...shared, 'app.kubernetes.io/component': 'run' },
  ]);
});

/** A run of a series, whose spec has nothing of a program but what its pods need. */
const COHORTS = {
  apiVersion: 'holdfast.dev/v1alpha1',
  kind: 'FakeRun',
  metadata: {
    name: 'weekly',
    namespace: 'shop',
    uid: 'series-uid',
    resourceVersion: '1',
    creationTimestamp: '2026-11-23T02:00:00Z',
  },
  spec: { series: 'loyalty', clusters: 4, trigger: 'manual', dryRun: false, execution: storedProgram().spec.execution },
} as const;

test('a run of a series has its revision and its Jobs as one of a program has, under labels of its own', () => {
  const owner = { kind: 'series', name: 'loyalty' } as const;
  const revision = buildRevision(owner, COHORTS, STAGE_SETTINGS);
  const shared = { ...PRODUCT, 'app.kubernetes.io/part-of': 'loyalty', 'holdfast.dev/series': 'loyalty' };
  expect(revision.metadata).toMatchObject({
    name: expect.stringMatching(/^loyalty-[0-9a-f]{20}$/),
    labels: { ...shared, 'app.kubernetes.io/component': 'revision' },
    ownerReferences: [{ kind: 'FakeRun', uid: 'series-uid' }],
  });
  expect(revision.metadata.labels).not.toHaveProperty(['holdfast.dev/program']);
  const pinned = pinnedRevision(revision, owner)!;
  const storage = {
    artifacts: { claimName: 'holdfast-artifacts' },
    postgres: { secretRef: STAGE_SETTINGS.postgresSecret },
  };
  expect(pinned.spec).toEqual({ ...COHORTS.spec, storage });
  const task: TaskAttempt = { pipeline: 'cohorts', stage: 'split', task: 'split', attempt: 1, secrets: SECRETS };
  const job: any = buildJob(
    COHORTS,
    SLOT,
    pinned,
    task,
    storageOf(pinned.spec, STAGE_SETTINGS) as Storage,
    STAGE_SETTINGS,
  );
  for (const labels of labelsOf(job)) {
    expect(labels).toMatchObject({ ...shared, 'holdfast.dev/run': 'weekly' });
    expect(labels).not.toHaveProperty(['holdfast.dev/program']);
  }
  expect(job.spec.template.spec.containers[0].args).toEqual(['jobs/main.js', 'cohorts/split/split']);
  // Of secrets that its spec cannot name it gets none.
  expect(environmentOf(job)).toMatchObject({ HOLDFAST_RUN: 'weekly', DATABASE_URL: { secretKeyRef: {} } });
  expect(Object.keys(environmentOf(job)).filter((name) => /CONNECTION|TOKEN|KEY/.test(name))).toEqual([]);
});

test('a pod of a task may do nothing but its work', () => {
  const { spec } = jobFor().spec.template;
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(spec.containers[0].securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(spec.serviceAccountName).toBeUndefined();
});

test('a Job ends at once when trying again cannot help, and does not count disruptions', () => {
  const { spec } = jobFor({
    execution: { deadlineSeconds: 600, retries: 2, cpu: '250m', memory: '1Gi', scratch: '1Gi', shards: 1 },
  });
  expect(spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 600 });
  expect(spec.podFailurePolicy.rules).toEqual([
    { action: 'FailJob', onExitCodes: { containerName: 'task', operator: 'In', values: [78] } },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ]);
  expect(spec.ttlSecondsAfterFinished).toBeUndefined();
  expect(spec.template.spec.containers[0].resources).toEqual({
    requests: { cpu: '250m', memory: '1Gi' },
    limits: { memory: '1Gi' },
  });
});

test('a task in shards is a pod for each, each tried again as often as any other task, and all of them over with one', () => {
  const execution = { ...storedProgram().spec.execution, shards: 3, retries: 2 };
  const task = { ...TASK, stage: 'score', task: 'shards', shards: 3 };
  const { spec } = jobFor({ execution }, task);
  expect(spec).toMatchObject({
    completionMode: 'Indexed',
    completions: 3,
    parallelism: 3,
    backoffLimitPerIndex: 2,
    maxFailedIndexes: 0,
    podReplacementPolicy: 'Failed',
  });
  expect(spec.backoffLimit).toBeUndefined();
  expect(spec.podFailurePolicy).toEqual(jobFor().spec.podFailurePolicy);
  expect(spec.template).toEqual({
    ...jobFor({ execution }, { ...task, shards: undefined } as never).spec.template,
  });
});

test("the pods of shards can bear their Job's name and their index as the name of a host", () => {
  const task = { ...TASK, stage: 'score', task: 'shards', shards: 64 };
  for (const run of ['weekly', 'w'.repeat(47), 'w'.repeat(48), 'w'.repeat(80), '2026.weekly']) {
    expect(`${jobName(run, task)}-63`).toMatch(/^[a-z][-a-z0-9]{0,62}$/);
  }
  expect(jobName('weekly', task)).toBe('weekly-score-shards-1');
});

test('a task is told which run it is part of, and gets its secret by reference', () => {
  const job = jobFor();
  expect(job.spec.template.spec.containers[0].args).toEqual(['jobs/main.js', 'batch/extract/migrate']);
  expect(environmentOf(job)).toMatchObject({
    HOLDFAST_NAMESPACE: 'shop',
    HOLDFAST_RUN: 'by-hand',
    HOLDFAST_RUN_UID: 'run-uid',
    HOLDFAST_SLOT: '2026-11-23T02:00:00Z',
    HOLDFAST_TRIGGER: 'manual',
    HOLDFAST_FILES: '/opt/holdfast/examples',
    DATABASE_URL: { secretKeyRef: { name: 'holdfast-postgres', key: 'url' } },
  });
});

test('the pods run as the service account that the program names, and get no token of it', () => {
  const execution = { ...storedProgram().spec.execution, serviceAccountName: 'tasks' };
  expect(jobFor({ execution }).spec.template.spec).toMatchObject({
    serviceAccountName: 'tasks',
    automountServiceAccountToken: false,
  });
});

test('only the task that draws who is held out gets the key of the draw', () => {
  const holdout = { ...storedProgram().spec.holdout, keySecretRef: { name: 'draw', key: 'key' } };
  const keyOfTask = (stage: string) =>
    environmentOf(jobFor({ holdout }, { ...TASK, stage, task: stage }))['HOLDFAST_HOLDOUT_KEY'];
  expect(keyOfTask('offer')).toEqual({ secretKeyRef: { name: 'draw', key: 'key' } });
  expect(['extract', 'filter', 'score', 'store'].map(keyOfTask)).toEqual([undefined, undefined, undefined, undefined]);
});

test('only the task that reads the warehouses gets the way into them, by reference', () => {
  const dataConnectors = [...storedProgram().spec.dataConnectors, ...POSTGRES];
  const namesOfTask = (stage: string, task = stage) =>
    Object.keys(environmentOf(jobFor({ dataConnectors }, { ...TASK, stage, task }))).filter((name) =>
      name.startsWith('HOLDFAST_CONNECTION'),
    );
  expect(environmentOf(jobFor({ dataConnectors }, { ...TASK, task: 'extract' }))).toMatchObject({
    HOLDFAST_CONNECTION_OUR_CRM: { secretKeyRef: { name: 'crm', key: 'url' } },
  });
  expect(namesOfTask('extract')).toEqual(['HOLDFAST_CONNECTION_OUR_CRM']);
  expect(namesOfTask('extract', 'migrate')).toEqual([]);
  expect(['filter', 'score', 'offer', 'store'].flatMap((stage) => namesOfTask(stage))).toEqual([]);
});

test('a program may keep its things elsewhere than the operator says', () => {
  const storage = {
    postgres: { secretRef: { name: 'ours', key: 'dsn' } },
    artifacts: { claimName: 'our-artifacts' },
    files: { claimName: 'our-models' },
  };
  const job = jobFor({ storage });
  expect(environmentOf(job)).toMatchObject({
    DATABASE_URL: { secretKeyRef: { name: 'ours', key: 'dsn' } },
    HOLDFAST_FILES: '/var/holdfast/files',
  });
  const claims = job.spec.template.spec.volumes.map(
    ({ persistentVolumeClaim }: any) => persistentVolumeClaim?.claimName,
  );
  expect(claims).toEqual([undefined, 'our-artifacts', undefined, 'our-models']);
});

test('files may be in a ConfigMap, and a run goes on with the one that it began with', () => {
  const storage = { files: { configMapName: 'holdfast-files-7f8g9h' } };
  const job = jobFor({ storage });
  expect(environmentOf(job)).toMatchObject({ HOLDFAST_FILES: '/var/holdfast/files' });
  const { volumes, containers } = job.spec.template.spec;
  expect(volumes.at(-1)).toEqual({ name: 'files', configMap: { name: 'holdfast-files-7f8g9h' } });
  expect(containers[0].volumeMounts.at(-1)).toEqual({
    name: 'files',
    mountPath: '/var/holdfast/files',
    readOnly: true,
  });
  const pinned = pinnedRevision(buildRevision(KEEP, storedProgram({ storage }), STAGE_SETTINGS), KEEP);
  expect(pinned?.spec.storage?.files).toEqual(storage.files);
});

test('tokens of models go to the task that scores, and to no other', () => {
  const scoringModels = [
    { modelId: 'churn-risk.v7', tokenSecretRef: { name: 'tokens', key: 'risk' } },
    { modelId: 'open' },
  ] as unknown as RetentionProgramSpec['scoringModels'];
  const tokenIn = (stage: string) =>
    environmentOf(jobFor({ scoringModels }, { ...TASK, stage, task: stage }))['HOLDFAST_MODEL_TOKEN_CHURN_RISK_V7'];
  expect(tokenIn('score')).toEqual({ secretKeyRef: { name: 'tokens', key: 'risk' } });
  expect(['extract', 'filter', 'offer', 'store', 'prune'].map(tokenIn)).toEqual(Array(5).fill(undefined));
});
