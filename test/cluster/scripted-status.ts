import type { Condition, PodObject } from '../../operator/kube/objects.ts';

/** How the pod of a Job ends: its exit status and what it says. */
export interface Ending {
  readonly exitCode: number;
  /** The termination message, as JSON. */
  readonly message?: object;
}

/** A Job that this status fails is not tried again, by its pod failure policy. */
const TERMINAL_EXIT = 78;

/** How the pod has ended already, where somebody played it before. */
export function endingOf(pod: PodObject): Ending | undefined {
  const terminated = pod.status?.containerStatuses?.[0]?.state?.terminated;
  return terminated && { exitCode: terminated.exitCode };
}

export function containers(
  pod: PodObject,
  state: { readonly startedAt: string; readonly ending?: Ending },
): readonly object[] {
  const { startedAt, ending } = state;
  const { containers: specs } = pod['spec'] as { containers: readonly { name: string; image: string }[] };
  return specs.map(({ name, image }) => ({
    name,
    image,
    imageID: image,
    containerID: `scripted://${pod.metadata.uid}`,
    ready: ending === undefined,
    started: ending === undefined,
    restartCount: 0,
    state:
      ending === undefined
        ? { running: { startedAt } }
        : {
            terminated: {
              exitCode: ending.exitCode,
              reason: ending.exitCode === 0 ? 'Completed' : 'Error',
              startedAt,
              finishedAt: now(),
              ...(ending.message === undefined ? {} : { message: JSON.stringify(ending.message) }),
            },
          },
  }));
}

/** The conditions that say what comes of a Job, and then that it has come. */
export function verdict({ exitCode }: Ending): readonly [Condition, Condition] {
  if (exitCode === 0) {
    return [condition('SuccessCriteriaMet', 'CompletionsReached'), condition('Complete', 'CompletionsReached')];
  }
  const [reason, message] =
    exitCode === TERMINAL_EXIT
      ? ['PodFailurePolicy', `Container task failed with exit code ${exitCode} matching FailJob rule at index 0`]
      : ['BackoffLimitExceeded', 'Job has reached the specified backoff limit'];
  return [condition('FailureTarget', reason, message), condition('Failed', reason, message)];
}

export function condition(type: string, reason: string, message = ''): Condition {
  return { type, status: 'True', reason, message, lastTransitionTime: now() };
}

/** Kubernetes keeps whole seconds. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
