import { TERMINAL_EXIT } from '../../contract/exit-status.ts';
import { nameOf } from '../../contract/name.ts';
import { MOST_SHARDS } from '../../crds/index.ts';
import type { KubeObject } from '../kube/api.ts';
import type { StageSettings } from '../settings/settings.ts';
import { ANNOTATIONS, ownerLabels } from './labels.ts';
import { ownerReference, type PodsSpec } from './owner.ts';
import { CONTAINER, podSpec, type TaskAttempt, type TaskRun } from './pod.ts';
import type { PinnedRevision } from './revision.ts';
import type { Storage } from './storage.ts';

/** Longest name of a Job whose pods bear, as their host's name, its own and their index. */
const LONGEST_INDEXED = 63 - String(MOST_SHARDS - 1).length - 1;

export function jobName(run: string, { stage, task, attempt, shards }: Omit<TaskAttempt, 'secrets'>): string {
  const parts = [run, ...(task === stage ? [stage] : [stage, task]), String(attempt)];
  return shards === undefined ? nameOf(parts) : nameOf(parts, LONGEST_INDEXED);
}

/** The Job of one try at one task. It has no TTL: that comes when its outcome is recorded. */
export function buildJob(
  run: TaskRun,
  slot: Date,
  revision: PinnedRevision,
  attempt: TaskAttempt,
  storage: Storage,
  settings: StageSettings,
): KubeObject {
  const { name, namespace } = run.metadata;
  const { deadlineSeconds } = revision.spec.execution;
  const labels = {
    ...settings.taskPods.labels,
    ...ownerLabels(revision.owner),
    'app.kubernetes.io/component': 'task',
    'holdfast.dev/run': nameOf([name]),
    'holdfast.dev/stage': attempt.stage,
    'holdfast.dev/task': attempt.task,
    'holdfast.dev/attempt': String(attempt.attempt),
  };
  const annotations = {
    ...settings.taskPods.annotations,
    [ANNOTATIONS.run]: name,
    [ANNOTATIONS.revision]: revision.name,
    [ANNOTATIONS.revisionIdentity]: revision.identity,
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
function pods({ shards }: TaskAttempt, { retries }: PodsSpec['execution']): object {
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
