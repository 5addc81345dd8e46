import { rfc3339Second } from '../../../base/instant.ts';
import { isFinalPhase, type RetentionRunStatus } from '../../../crds/index.ts';
import type { RunObject } from '../../kube/objects.ts';
import { conditions } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import type { StageStatus } from './tasks.ts';

/** How far a run is, in the words of its status. */
export interface Outcome {
  readonly phase: NonNullable<RetentionRunStatus['phase']>;
  /** One of CONDITION_REASONS, or Kubernetes' own word. */
  readonly reason: string;
  readonly message: string;
}

/** The status of a run: what stays of the old one, and what follows from how far it is. */
export function runStatus(
  { status, metadata }: RunObject,
  stages: readonly StageStatus[] | undefined,
  outcome: Outcome,
  now: Date,
): RetentionRunStatus {
  const { phase } = outcome;
  const over = isFinalPhase(phase);
  const begun = status?.startTime !== undefined || phase === 'Running';
  return {
    observedGeneration: metadata.generation ?? 0,
    phase,
    ...(status?.revision === undefined ? {} : { revision: status.revision }),
    ...(status?.revisionDigest === undefined ? {} : { revisionDigest: status.revisionDigest }),
    ...(status?.slot === undefined ? {} : { slot: status.slot }),
    ...(begun ? { startTime: status?.startTime ?? rfc3339Second(now) } : {}),
    ...(over ? { completionTime: status?.completionTime ?? rfc3339Second(now) } : {}),
    ...(stages === undefined ? {} : { stages: [...stages] }),
    conditions: runConditions({ status, metadata } as RunObject, outcome, over, now),
  };
}

/** The status of a run that cannot be made sense of: as it was, and that nothing more comes of it for now. */
export function runNotRead({ status, metadata }: RunObject, message: string, now: Date): RetentionRunStatus {
  const phase = status?.phase ?? 'Pending';
  const reason: ConditionReason = 'InternalError';
  const say = (type: string, holds: boolean) => ({ type, status: holds, reason, message });
  const previous = Array.isArray(status?.conditions) ? status.conditions : undefined;
  return {
    ...status,
    observedGeneration: metadata.generation ?? 0,
    phase,
    conditions: conditions(previous, metadata.generation ?? 0, now, [
      say('Complete', phase === 'Succeeded'),
      say('Failed', phase === 'Failed' || phase === 'Cancelled'),
      say('Reconciling', false),
      say('Stalled', true),
    ]),
  };
}

/** `Reconciling` and `Stalled` are what kstatus, and with it Flux and Argo CD, read. */
function runConditions({ status, metadata }: RunObject, { phase, reason, message }: Outcome, over: boolean, now: Date) {
  const say = (type: string, holds: boolean) => ({ type, status: holds, reason, message });
  return conditions(status?.conditions, metadata.generation ?? 0, now, [
    say('Complete', phase === 'Succeeded'),
    say('Failed', phase === 'Failed' || phase === 'Cancelled'),
    say('Reconciling', !over && phase !== 'Suspended'),
    say('Stalled', phase === 'Failed'),
  ]);
}
