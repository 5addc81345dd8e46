import { TERMINAL_EXIT } from '../../../contract/exit-status.ts';
import { oneLine, type ReceivedReport, readTerminationMessage } from '../../../contract/termination-message.ts';
import type { PodObject } from '../../kube/objects.ts';
import { CONTAINER } from '../../objects/pod.ts';

/**
 * The report of a Job's pods: of the one that succeeded, else of the one that ended last. Of several shards, that of one
 * that has failed and not succeeded since; the error names it.
 */
export function reportOf(pods: readonly PodObject[]): ReceivedReport | undefined {
  const shards = Map.groupBy(pods, shardOf);
  const ends = [...shards].flatMap(([index, tries]) => {
    const end = decidingTry(tries);
    return end === undefined ? [] : [{ ...end, index }];
  });
  const told = ends.toSorted(byWeight).at(-1);
  return told && reportOfEnd(told, told.index === undefined ? '' : `shard ${told.index}: `);
}

/** Kubernetes puts it on every pod of an Indexed Job. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Undefined for a pod that does all of its task. */
export function shardOf({ metadata }: PodObject): string | undefined {
  const index = metadata.annotations?.[COMPLETION_INDEX];
  return index !== undefined && /^\d{1,5}$/.test(index) ? index : undefined;
}

type End = NonNullable<NonNullable<ReturnType<typeof containerOf>>['state']>['terminated'] & {
  readonly pod: PodObject;
};

/** The try that says how a task, or one shard of it, has ended, as far as it has. */
function decidingTry(tries: readonly PodObject[]): End | undefined {
  const ended = tries.flatMap((pod): End[] => {
    const terminated = containerOf(pod)?.state?.terminated;
    return terminated === undefined ? [] : [{ ...terminated, pod }];
  });
  return ended.find(({ exitCode }) => exitCode === 0) ?? ended.toSorted(byWeight).at(-1);
}

/** What weighs most comes last: a failure; one that nobody brought about by deleting the pod; the newest. */
function byWeight(one: End, other: End): number {
  const weigh = ({ exitCode, pod }: End) =>
    exitCode === 0 ? 0 : pod.metadata.deletionTimestamp === undefined || exitCode === TERMINAL_EXIT ? 2 : 1;
  return weigh(one) - weigh(other) || (one.finishedAt ?? '').localeCompare(other.finishedAt ?? '');
}

function reportOfEnd(last: End, shard: string): ReceivedReport {
  const said = readTerminationMessage(last.message ?? '');
  if (said !== undefined) {
    const { error, ...rest } = said;
    return error === undefined ? rest : { ...rest, error: { ...error, message: `${shard}${error.message}` } };
  }
  if (last.exitCode === 0) return {};
  // A pod that was evicted says more than its container.
  const { reason, message: why } = last.pod.status ?? {};
  if (reason && why) return { error: { code: reason, message: `${shard}${oneLine(why)}` } };
  // A container that was killed says nothing itself.
  const message = `${shard}the container ended with status ${last.exitCode}${last.reason ? ` (${last.reason})` : ''}`;
  return { error: { code: last.reason ?? 'Error', message } };
}

export function containerOf(pod: PodObject) {
  return pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
}
