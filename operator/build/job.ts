import { connectionVariable, MOST_SHARDS, type RetentionProgramSpec } from '../../crds/index.ts';
import { modelTokenVariable } from '../../crds/model-token.ts';
import { rfc3339 } from '../../jobs/instant.ts';
import type { KubeObject } from '../kube/api.ts';
import type { RunObject } from '../objects.ts';
import type { StageSettings } from '../settings.ts';
import { ANNOTATIONS, programLabels } from './labels.ts';
import { nameOf } from './name.ts';
import { ownerReference } from './owner.ts';
import type { PinnedRevision } from './revision.ts';
import { REVISION_FILE } from './revision-file.ts';

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

/** Where a program keeps its things: what it says itself, else what the operator is set to. */
export interface Storage {
  readonly secret: { readonly name: string; readonly key: string };
  readonly artifactsClaim: string;
  /** The volume of its files, as a pod has it. */
  readonly files: { readonly claimName: string } | { readonly configMapName: string } | undefined;
}

const REVISION_FOLDER = '/var/holdfast/revision';
const ARTIFACTS_FOLDER = '/var/holdfast/artifacts';
const FILES_FOLDER = '/var/holdfast/files';
const SCRATCH_FOLDER = '/tmp';

/** Name of the container: its termination message is the task's report. */
export const CONTAINER = 'task';

/** The user of the image, who owns what is written to the volumes. */
const USER = 65_532;

/** EX_CONFIG: trying again cannot help. */
export const TERMINAL_EXIT = 78;

/** Seconds in which a task that is told to stop does. */
const GRACE_SECONDS = 30;

/** Longest name of a Job whose pods bear, as their host's name, its own and their index. */
const LONGEST_INDEXED = 63 - String(MOST_SHARDS - 1).length - 1;

export function jobName(run: string, { stage, task, attempt, shards }: TaskAttempt): string {
  const parts = [run, ...(task === stage ? [stage] : [stage, task]), String(attempt)];
  return shards === undefined ? nameOf(parts) : nameOf(parts, LONGEST_INDEXED);
}

/** What a program, and the operator's settings, say about storage; or which of it nobody says. */
export function storageOf(
  { storage }: RetentionProgramSpec,
  settings: StageSettings,
): Storage | { readonly missing: string } {
  const secret = storage?.postgres?.secretRef ?? settings.postgresSecret;
  const artifactsClaim = storage?.artifacts?.claimName ?? settings.artifactsClaim;
  if (secret === undefined) return { missing: 'storage.postgres.secretRef' };
  if (artifactsClaim === undefined) return { missing: 'storage.artifacts.claimName' };
  return { secret, artifactsClaim, files: filesOf(storage?.files) };
}

function filesOf(files: NonNullable<RetentionProgramSpec['storage']>['files']): Storage['files'] {
  if (files?.configMapName !== undefined) return { configMapName: files.configMapName };
  return files?.claimName === undefined ? undefined : { claimName: files.claimName };
}

/** The Job of one try at one task. It has no TTL: that comes when its outcome is recorded. */
export function buildJob(
  run: RunObject,
  slot: Date,
  revision: PinnedRevision,
  attempt: TaskAttempt,
  storage: Storage,
  settings: StageSettings,
): KubeObject {
  const { name, namespace } = run.metadata;
  const { deadlineSeconds } = revision.spec.execution;
  const labels = {
    ...programLabels(run.spec.programRef.name),
    'app.kubernetes.io/component': 'task',
    'holdfast.dev/run': nameOf([name]),
    'holdfast.dev/stage': attempt.stage,
    'holdfast.dev/task': attempt.task,
    'holdfast.dev/attempt': String(attempt.attempt),
  };
  const annotations = {
    [ANNOTATIONS.run]: name,
    [ANNOTATIONS.revision]: revision.name,
    [ANNOTATIONS.revisionDigest]: revision.identity,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(name, attempt),
      namespace,
      labels,
      annotations,
      ownerReferences: [ownerReference(run)],
    },
    spec: {
      ...pods(attempt, revision.spec.execution),
      activeDeadlineSeconds: deadlineSeconds,
      // Never two pods at once where it can be helped.
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          {
            action: 'FailJob',
            onExitCodes: { containerName: CONTAINER, operator: 'In', values: [TERMINAL_EXIT] },
          },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      template: {
        metadata: { labels, annotations },
        spec: podSpec(run, slot, revision, attempt, storage, settings),
      },
    },
  };
}

/** How many pods, and how often one is tried again: each shard as often as any other task. */
function pods({ shards }: TaskAttempt, { retries }: RetentionProgramSpec['execution']): object {
  return shards === undefined
    ? { completions: 1, parallelism: 1, backoffLimit: retries }
    : {
        completionMode: 'Indexed',
        completions: shards,
        parallelism: shards,
        backoffLimitPerIndex: retries,
        // Without one of them the work of the others is worth nothing.
        maxFailedIndexes: 0,
      };
}

function podSpec(
  run: RunObject,
  slot: Date,
  revision: PinnedRevision,
  attempt: TaskAttempt,
  storage: Storage,
  settings: StageSettings,
): object {
  const { files, artifactsClaim } = storage;
  const { scratch, serviceAccountName } = revision.spec.execution;
  return {
    restartPolicy: 'Never',
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container(run, slot, revision, attempt, storage, settings)],
    volumes: [
      { name: 'revision', configMap: { name: revision.name, items: [{ key: REVISION_FILE, path: REVISION_FILE }] } },
      { name: 'artifacts', persistentVolumeClaim: { claimName: artifactsClaim } },
      { name: 'scratch', emptyDir: { sizeLimit: scratch } },
      ...filesVolume(files),
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
  const { cpu, memory } = spec.execution;
  const { keySecretRef } = spec.holdout;
  // Only the extract task gets the warehouse credentials.
  const reads = stage === 'extract' && task === stage;
  const environment = {
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
  };
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['jobs/main.js', `${pipeline}/${stage}/${task}`],
    env: [
      ...Object.entries(environment).map(([name, value]) => ({ name, value })),
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: secret } },
      // No task but the one that asks the models gets their tokens.
      ...(stage === 'score' ? modelTokens(spec.scoringModels) : []),
      // No task but the one that draws gets the key of the draw.
      ...(stage === 'offer' && keySecretRef !== undefined
        ? [{ name: 'HOLDFAST_HOLDOUT_KEY', valueFrom: { secretKeyRef: keySecretRef } }]
        : []),
      ...(reads ? connections(spec) : []),
    ],
    // Memory is what is asked for, so that the node never has to choose whom to end; processors may be shared.
    resources: { requests: { cpu, memory }, limits: { memory } },
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
    ],
  };
}

function filesVolume(files: Storage['files']): object[] {
  if (files === undefined) return [];
  return 'claimName' in files
    ? [{ name: 'files', persistentVolumeClaim: { claimName: files.claimName, readOnly: true } }]
    : [{ name: 'files', configMap: { name: files.configMapName } }];
}

/** The connections of the connectors that read from a server, by reference. */
function connections({ dataConnectors }: RetentionProgramSpec): object[] {
  return dataConnectors.flatMap(({ connectorId, config: { connectionSecretRef } }) =>
    connectionSecretRef === undefined
      ? []
      : [{ name: connectionVariable(connectorId), valueFrom: { secretKeyRef: connectionSecretRef } }],
  );
}

function modelTokens(models: RetentionProgramSpec['scoringModels']): readonly object[] {
  return models.flatMap(({ modelId, tokenSecretRef }) =>
    tokenSecretRef === undefined
      ? []
      : [{ name: modelTokenVariable(modelId), valueFrom: { secretKeyRef: tokenSecretRef } }],
  );
}
