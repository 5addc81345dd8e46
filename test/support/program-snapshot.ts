import { PIPELINES } from '../../contract/pipelines.ts';
import type { PipelineStatus } from '../../crds/index.ts';
import { type Action, NO_ATTEMPTS } from '../../operator/decide/action.ts';
import type { ProgramDecision } from '../../operator/decide/program/program.ts';
import type { ProgramSnapshot } from '../../operator/decide/program/snapshot.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { buildRun } from '../../operator/objects/run.ts';
import { pipelineStatusOf, STAGE_SETTINGS, storedProgram } from './program.ts';

/** Mondays at two, in UTC. */
export const SCHEDULE = '0 2 * * MON UTC';
export const FIRST = '2026-11-23T02:00:00Z';
export const SECOND = '2026-11-30T02:00:00Z';
export const THIRD = '2026-12-07T02:00:00Z';
export const RUN = 'keep-20261123t0200z';

export const SINCE = '2026-11-20T12:00:00Z';

/** A program that was seen before, and how far the schedules of its pipelines had been followed. */
export function knownAs(
  pipelines: readonly PipelineStatus[],
  spec: Parameters<typeof storedProgram>[0] = {},
): ProgramObject {
  return storedProgram(spec, { status: { observedGeneration: 1, pipelines: [...pipelines] } });
}

/** The same of its batch alone. */
export function known(
  batch: Partial<PipelineStatus> = {},
  spec: Parameters<typeof storedProgram>[0] = {},
): ProgramObject {
  return knownAs([{ name: 'batch', schedule: SCHEDULE, since: SINCE, ...batch }], spec);
}

export function statusOf(pipeline: string, { status }: ProgramDecision): Omit<PipelineStatus, 'name'> {
  return pipelineStatusOf({ status }, pipeline) ?? {};
}

export function snapshot(program: ProgramObject, change: Partial<ProgramSnapshot> = {}): ProgramSnapshot {
  return {
    program,
    runs: [],
    pinned: new Set(),
    revisions: [],
    twins: [],
    attempts: NO_ATTEMPTS,
    settings: STAGE_SETTINGS,
    pipelines: PIPELINES,
    ...change,
  };
}

/** A run of a schedule, made at its slot, and begun then where it has surely begun. */
export function runAt(
  slot: string,
  phase?: NonNullable<RunObject['status']>['phase'],
  owner = storedProgram(),
  pipeline = 'batch',
): RunObject {
  const made = buildRun(owner, new Date(slot), pipeline);
  const metadata = {
    ...made.metadata,
    uid: `uid of ${made.metadata.name}`,
    resourceVersion: '5',
    creationTimestamp: slot,
  };
  const begun = phase === 'Running' || phase === 'Succeeded' ? { startTime: slot } : {};
  const conditions = [
    {
      type: 'Complete',
      status: phase === 'Succeeded' ? 'True' : 'False',
      reason: phase ?? 'x',
      message: 'm',
      lastTransitionTime: slot,
    },
  ];
  return {
    ...made,
    metadata,
    ...(phase === undefined ? {} : { status: { phase, slot, conditions, ...begun } }),
  } as RunObject;
}

export function brief(action: Action): string {
  if (action.do === 'event') return `event ${action.reason}`;
  return `${action.do} ${action.object.metadata.name}`;
}
