import { rfc3339 } from '../../base/instant.ts';
import { modelTokenVariable } from '../../contract/model-token.ts';
import { amountOf, connectionVariable, type RetentionProgramSpec } from '../../crds/index.ts';
import type { RunObject } from '../kube/objects.ts';
import type { StageSettings } from '../settings/settings.ts';
import type { TaskPods } from '../settings/task-pods.ts';
import type { PinnedRevision } from './revision.ts';
import { REVISION_FILE } from './revision-file.ts';
import type { Storage } from './storage.ts';

/** One try at one task of a run. */
export interface TaskAttempt {
  readonly pipeline: string;
  readonly stage: string;
  readonly task: string;
  /** From 1. */
  readonly attempt: number;
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
  run: RunObject,
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
  run: RunObject,
  slot: Date,
  { image, digest, spec }: PinnedRevision,
  { pipeline, stage, task }: TaskAttempt,
  { secret, files }: Storage,
  settings: StageSettings,
): object {
  const { keySecretRef } = spec.holdout;
  // Only the extract task gets the warehouse credentials.
  const reads = stage === 'extract' && task === stage;
  const { caBundle } = settings.taskPods;
  const environment: Record<string, string> = {
    HOLDFAST_NAMESPACE: run.metadata.namespace,
    HOLDFAST_RUN: run.metadata.name,
    HOLDFAST_RUN_UID: run.metadata.uid,
    HOLDFAST_SLOT: rfc3339(slot),
    HOLDFAST_TRIGGER: run.spec.trigger,
    HOLDFAST_DRY_RUN: String(run.spec.dryRun),
    HOLDFAST_REVISION: `${REVISION_FOLDER}/${REVISION_FILE}`,
    HOLDFAST_REVISION_DIGEST: digest,
    HOLDFAST_ARTIFACTS: ARTIFACTS_FOLDER,
    HOLDFAST_SCRATCH: SCRATCH_FOLDER,
    HOLDFAST_FILES: files === undefined ? settings.filesFolder : FILES_FOLDER,
    ...(caBundle.configMap === '' ? {} : { NODE_EXTRA_CA_CERTS: `${CA_FOLDER}/${CA_FILE}` }),
  };
  const ours: readonly Variable[] = [
    ...Object.entries(environment).map(([name, value]) => ({ name, value })),
    { name: 'DATABASE_URL', valueFrom: { secretKeyRef: secret } },
    // No task but the one that asks the models gets their tokens.
    ...(stage === 'score' ? modelTokens(spec.scoringModels) : []),
    // No task but the one that draws gets the key of the draw.
    ...(stage === 'offer' && keySecretRef !== undefined
      ? [{ name: 'HOLDFAST_HOLDOUT_KEY', valueFrom: { secretKeyRef: keySecretRef } }]
      : []),
    ...(reads ? connections(spec) : []),
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
    terminationMessagePath: '/dev/termination-log',
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

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

/** Variables of whoever installed the operator. They come first: none can take the place of ours, or quote it. */
function extra({ env }: TaskPods, ours: readonly Variable[]): readonly Variable[] {
  const taken = new Set(ours.map(({ name }) => name));
  return Object.entries(env).flatMap(([name, value]) => (isOurs(name) || taken.has(name) ? [] : [{ name, value }]));
}

function isOurs(name: string): boolean {
  return name.startsWith('HOLDFAST_') || name === 'DATABASE_URL';
}

/**
 * Memory is limited to what is asked for, so that the node never has to choose whom to end; processors may be shared, unless
 * a limit is set. That of the chart is never below what the program asks for, which Kubernetes would refuse.
 */
function resources({ cpu, cpuLimit, memory }: RetentionProgramSpec['execution'], { limits }: TaskPods): object {
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

/** The connections of the connectors that read from a server, by reference. */
function connections({ dataConnectors }: RetentionProgramSpec): readonly Variable[] {
  return dataConnectors.flatMap(({ connectorId, config: { connectionSecretRef } }) =>
    connectionSecretRef === undefined
      ? []
      : [{ name: connectionVariable(connectorId), valueFrom: { secretKeyRef: connectionSecretRef } }],
  );
}

function modelTokens(models: RetentionProgramSpec['scoringModels']): readonly Variable[] {
  return models.flatMap(({ modelId, tokenSecretRef }) =>
    tokenSecretRef === undefined
      ? []
      : [{ name: modelTokenVariable(modelId), valueFrom: { secretKeyRef: tokenSecretRef } }],
  );
}
