import { type KubeObject, keyOf, RESOURCES } from '../../operator/kube/api.ts';
import type { JobObject, PodObject } from '../../operator/kube/objects.ts';
import type { FakeKube } from './fake-kube.ts';

/** How the pod of a Job ends: its exit status and what it says. */
export interface Ending {
  readonly exitCode: number;
  readonly message?: unknown;
  /** Name of another container of the pod, which goes on. */
  readonly beside?: string;
}

/** Decides what becomes of a Job's pod, or of one of its shards; undefined leaves it running. */
export type Script = (job: JobObject, index: number) => Ending | undefined;

/** What every task of a good run says. */
export const GOOD: Script = (job) => ({
  exitCode: 0,
  message: { rowsIn: 100, rowsOut: 10, counts: { candidates: 10 }, artifact: 'a'.repeat(64), task: job.metadata.name },
});

/** Plays the Job controller and the kubelet: one step makes the pods of new Jobs, or ends those that run. */
export function fakeKubelet(kube: FakeKube, now: () => Date) {
  return {
    /** Whether anything happened. */
    step(script: Script = GOOD): boolean {
      const before = kube.version();
      for (const job of kube.all<JobObject>(RESOURCES.jobs)) {
        if (job.status?.conditions !== undefined || job.spec?.suspend === true) continue;
        for (const index of Array.from({ length: spread(job) }).keys()) {
          const pod = kube.get<PodObject>(RESOURCES.pods, `${job.metadata.namespace}/${podName(job, index)}`);
          if (pod === undefined) {
            kube.put(RESOURCES.pods, podOf(job, index));
            continue;
          }
          const ending = isAtWork(pod) ? script(job, index) : undefined;
          if (ending !== undefined) end(kube, job, pod, ending, now());
        }
      }
      return kube.version() !== before;
    },
  };
}

function isAtWork({ status }: PodObject): boolean {
  const task = status?.containerStatuses?.find(({ name }) => name === 'task');
  return status?.phase === 'Running' && task?.state?.terminated === undefined;
}

/** Pods that do it side by side. */
function spread({ spec }: JobObject): number {
  const { completions, completionMode } = spec as { completions?: number; completionMode?: string };
  return completionMode === 'Indexed' ? (completions ?? 1) : 1;
}

function podName(job: JobObject, index: number): string {
  return spread(job) === 1 ? `${job.metadata.name}-pod` : `${job.metadata.name}-${index}-pod`;
}

function podOf(job: JobObject, index: number): KubeObject {
  const { template } = job.spec as unknown as { template: { metadata: KubeObject['metadata']; spec: object } };
  const { name, namespace, uid } = job.metadata;
  const indexed = spread(job) === 1 ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      labels: { ...template.metadata.labels, 'batch.kubernetes.io/job-name': name },
      annotations: { ...template.metadata.annotations, ...indexed },
      name: podName(job, index),
      namespace,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    spec: template.spec,
    status: { phase: 'Running', containerStatuses: [{ name: 'task', image: 'holdfast:test', state: { running: {} } }] },
  };
}

function end(kube: FakeKube, job: JobObject, pod: PodObject, ending: Ending, now: Date): void {
  const { exitCode, message, beside } = ending;
  const at = now.toISOString();
  const terminated = {
    exitCode,
    finishedAt: at,
    ...(message === undefined ? {} : { message: JSON.stringify(message) }),
  };
  kube.change(RESOURCES.pods, keyOf(pod), (object) => {
    const task = { name: 'task', image: 'holdfast:test', state: { terminated } };
    object['status'] =
      beside === undefined
        ? { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [task] }
        : { phase: 'Running', containerStatuses: [{ name: beside, state: { running: {} } }, task] };
  });
  if (beside !== undefined) return;
  const pods = kube
    .all<PodObject>(RESOURCES.pods)
    .filter(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-name'] === job.metadata.name);
  const succeeded = pods.filter(({ status }) => status?.phase === 'Succeeded').length;
  if (exitCode === 0 && succeeded < spread(job)) return;
  // The others are ended with it.
  for (const { metadata, status } of pods) {
    if (status?.phase === 'Running') kube.remove(RESOURCES.pods, keyOf({ ...pod, metadata }));
  }
  kube.change(RESOURCES.jobs, keyOf(job), (object) => {
    object['status'] =
      exitCode === 0
        ? { completionTime: at, conditions: [{ type: 'Complete', status: 'True', reason: 'CompletionsReached' }] }
        : { conditions: [{ type: 'Failed', status: 'True', reason: 'PodFailurePolicy', message: 'the pod failed' }] };
  });
}
