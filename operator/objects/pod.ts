import type { Secret } from '../../contract/credentials.ts';
import { REVISION_FILE } from '../../contract/revision.ts';
import { DATABASE_VARIABLE, isTaskVariable, taskEnvironment } from '../../contract/task-environment.ts';
import { TERMINATION_LOG } from '../../contract/termination-message.ts';
import { amountOf, type RetentionRunSpec } from '../../crds/index.ts';
import type { KubeObject } from '../kube/api.ts';
import type { StoredMetadata } from '../kube/objects.ts';
import type { StageSettings } from '../settings/settings.ts';
import type { TaskPods } from '../settings/task-pods.ts';
import type { PodsSpec } from './owner.ts';
import type { PinnedRevision } from './revision.ts';
import type { Storage } from './storage.ts';
import { fromSecret, secretVariables, type Variable } from './task-credentials.ts';

/** What the pods of a run are told of it, whoever its owner is. */
export interface TaskRun extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly spec: Pick<RetentionRunSpec, 'trigger' | 'retryOf' | 'fromStage' | 'dryRun'>;
}

/** One try at one task of a run. */
export interface TaskAttempt {
  readonly pipeline: string;
  readonly stage: string;
  readonly task: string;
  /** From 1. */
  readonly attempt: number;
  /** What it is given besides the database. */
  readonly secrets: readonly Secret[];
  /** Of a task that several pods do side by side: how many. */
  readonly shards?: number;
}

const REVISION_FOLDER = '/var/holdfast/revision';
const ARTIFACTS_FOLDER = '/var/holdfast/artifacts';
const FILES_FOLDER = '/var/holdfast/files';
const SCRATCH_FOLDER = '/tmp';
const CA_FOLDER = '/etc/holdfast-ca';
const CA_FILE = 'ca.crt';

/** Name of the container: its termination message is the task's report. */
export const CONTAINER = 'task';

/** Seconds in which a task that is told to stop does. */
const GRACE_SECONDS = 30;

/** The pod of one try at one task, without its metadata. */
export function podSpec(
  run: TaskRun,
  slot: Date,
  revision: PinnedRevision,
  attempt: TaskAttempt,
  storage: Storage,
  settings: StageSettings,
): object {
  const { files, artifactsClaim } = storage;
  const { scratch, serviceAccountName, nodeSelector } = revision.spec.execution;
  const { taskPods } = settings;
  const { tolerations, priorityClassName, pullSecrets, securityContext, caBundle } = taskPods;
  return {
    restartPolicy: 'Never',
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...filled('nodeSelector', { ...nodeSelector, ...taskPods.nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(priorityClassName === '' ? {} : { priorityClassName }),
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      ...securityContext,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container(run, slot, revision, attempt, storage, settings)],
    volumes: [
      { name: 'revision', configMap: { name: revision.name, items: [{ key: REVISION_FILE, path: REVISION_FILE }] } },
      { name: 'artifacts', persistentVolumeClaim: { claimName: artifactsClaim } },
      { name: 'scratch', emptyDir: { sizeLimit: scratch } },
      ...filesVolume(files),
      ...(caBundle.configMap === ''
        ? []
        : [{ name: 'ca', configMap: { name: caBundle.configMap, items: [{ key: caBundle.key, path: CA_FILE }] } }]),
    ],
  };
}

function container(
  run: TaskRun,
  slot: Date,
  { image, digest, spec }: PinnedRevision,
  { pipeline, stage, task, secrets }: TaskAttempt,
  { secret, files }: Storage,
  settings: StageSettings,
): object {
  const { caBundle } = settings.taskPods;
  const environment = taskEnvironment({
    namespace: run.metadata.namespace,
    run: run.metadata.name,
    runUid: run.metadata.uid,
    slot,
    trigger: run.spec.trigger,
    retryOf: run.spec.retryOf,
    fromStage: run.spec.fromStage,
    dryRun: run.spec.dryRun,
    revision: { file: `${REVISION_FOLDER}/${REVISION_FILE}`, digest },
    artifactRoot: ARTIFACTS_FOLDER,
    scratchFolder: SCRATCH_FOLDER,
    baseFolder: files === undefined ? settings.filesFolder : FILES_FOLDER,
  });
  const authorities = caBundle.configMap === '' ? {} : { NODE_EXTRA_CA_CERTS: `${CA_FOLDER}/${CA_FILE}` };
  const ours: readonly Variable[] = [
    ...Object.entries({ ...environment, ...authorities }).map(([name, value]) => ({ name, value })),
    ...fromSecret(DATABASE_VARIABLE, secret),
    ...secretVariables(spec, secrets),
  ];
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['jobs/main.js', `${pipeline}/${stage}/${task}`],
    env: [...extra(settings.taskPods, ours), ...ours],
    resources: resources(spec.execution, settings.taskPods),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePath: TERMINATION_LOG,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'revision', mountPath: REVISION_FOLDER, readOnly: true },
      { name: 'artifacts', mountPath: ARTIFACTS_FOLDER },
      { name: 'scratch', mountPath: SCRATCH_FOLDER },
      ...(files === undefined ? [] : [{ name: 'files', mountPath: FILES_FOLDER, readOnly: true }]),
      ...(caBundle.configMap === '' ? [] : [{ name: 'ca', mountPath: CA_FOLDER, readOnly: true }]),
    ],
  };
}

function filesVolume(files: Storage['files']): readonly object[] {
  if (files === undefined) return [];
  return 'claimName' in files
    ? [{ name: 'files', persistentVolumeClaim: { claimName: files.claimName, readOnly: true } }]
    : [{ name: 'files', configMap: { name: files.configMapName } }];
}

/** Variables of whoever installed the operator. They come first: none can take the place of ours, or quote it. */
function extra({ env }: TaskPods, ours: readonly Variable[]): readonly Variable[] {
  const taken = new Set(ours.map(({ name }) => name));
  return Object.entries(env).flatMap(([name, value]) =>
    isTaskVariable(name) || taken.has(name) ? [] : [{ name, value }],
  );
}

/**
 * Memory is limited to what is asked for, so that the node never has to choose whom to end; processors may be shared, unless
 * a limit is set. That of the chart is never below what the owner asks for, which Kubernetes would refuse.
 */
function resources({ cpu, cpuLimit, memory }: PodsSpec['execution'], { limits }: TaskPods): object {
  const most = cpuLimit ?? limits.cpu;
  const limit = most === undefined || most === '' || amountOf(most) >= amountOf(cpu) ? most : cpu;
  return {
    requests: { cpu, memory },
    limits: { ...(limit === undefined || limit === '' ? {} : { cpu: limit }), memory },
  };
}

function filled(name: string, value: object): object {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}
