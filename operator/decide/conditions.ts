import { rfc3339Second } from '../../base/instant.ts';
import type { RetentionRunStatus } from '../../crds/index.ts';
import type { RunObject } from '../kube/objects.ts';
import type { ConditionReason } from './reasons.ts';

export type Conditions = NonNullable<RetentionRunStatus['conditions']>;

interface Statement {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

const LONGEST_MESSAGE = 4096;

/** Conditions as they should be; one whose status stays keeps the time at which it last changed. */
export function conditions(
  previous: Conditions | undefined,
  observedGeneration: number,
  now: Date,
  statements: readonly Statement[],
): Conditions {
  return statements.map(({ type, status: holds, reason, message }) => {
    const status = holds ? 'True' : 'False';
    const before = previous?.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : rfc3339Second(now),
      reason,
      message: message.slice(0, LONGEST_MESSAGE),
    };
  });
}

/** What the run says of why it is as it is. */
export function because({ status }: Pick<RunObject, 'status'>): Conditions[number] | undefined {
  return status?.conditions?.find(({ type }) => type === 'Reconciling');
}

export function isBecause(run: Pick<RunObject, 'status'>, reason: ConditionReason): boolean {
  return because(run)?.reason === reason;
}
