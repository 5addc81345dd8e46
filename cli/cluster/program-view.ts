import { PUBLISHING, pipelineOf } from '../../contract/pipelines.ts';
import type { ProgramObject } from '../../operator/kube/objects.ts';
import { isOver, type RunView } from './run-view.ts';

/** A program of the cluster as `--output json` gives it. */
export interface ProgramView {
  readonly namespace: string;
  readonly program: string;
  readonly enabled: boolean;
  /** Whether it is accepted; null where the operator has not looked at it yet. */
  readonly ready: boolean | null;
  readonly reason: string | null;
  readonly message: string | null;
  /** Of the batch. */
  readonly nextSlot: string | null;
  readonly pipelines: readonly PipelineView[];
}

export interface PipelineView {
  readonly pipeline: string;
  readonly nextSlot: string | null;
  /** The run that has to end before that of nextSlot, which is due, is made. */
  readonly waitsFor: string | null;
  readonly lastSucceededSlot: string | null;
  readonly lastRun: LastRun | null;
  /** Why the last run that is over did not succeed. */
  readonly error: { readonly reason: string; readonly message: string } | null;
  /** Runs of it that are not over, the oldest first: those that are under way and those that wait. */
  readonly unfinished: readonly RunView[];
}

export interface LastRun {
  readonly run: string;
  readonly slot: string;
  readonly phase: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly candidates: number | null;
}

/** @param runs any; those of other programs, and those that are over, are left out */
export function programView({ metadata, spec, status = {} }: ProgramObject, runs: readonly RunView[]): ProgramView {
  const condition = (wanted: string) => status.conditions?.find(({ type }) => type === wanted);
  const ready = condition('Ready');
  const outcome = condition('LastRunSucceeded');
  const unfinished = runs.filter((run) => run.program === metadata.name && !isOver(run));
  const known = statusesIn(status);
  const others = new Set(
    unfinished.map(({ pipeline }) => pipeline).filter((name) => known.every((one) => one.name !== name)),
  );
  return {
    namespace: metadata.namespace,
    program: metadata.name,
    enabled: spec.enabled,
    ready: ready === undefined ? null : ready.status === 'True',
    reason: ready?.reason ?? null,
    message: ready?.message ?? null,
    nextSlot: known.find(({ name }) => publishes(name))?.nextSlot ?? null,
    pipelines: [...known, ...[...others].map((name): PipelineStatus => ({ name }))].map((one) => {
      const { name, nextSlot, waitsFor, lastSucceededSlot, lastRun } = one;
      // The condition is about the pipeline that publishes.
      const isItsOutcome = outcome?.status === 'False' && publishes(name);
      return {
        pipeline: name,
        nextSlot: nextSlot ?? null,
        waitsFor: waitsFor ?? null,
        lastSucceededSlot: lastSucceededSlot ?? null,
        lastRun: lastRun === undefined ? null : lastRunOf(lastRun),
        error: isItsOutcome ? { reason: outcome.reason, message: outcome.message } : null,
        unfinished: unfinished
          .filter((run) => run.pipeline === name)
          .toSorted((a, b) => (`${a.createdAt} ${a.run}` < `${b.createdAt} ${b.run}` ? -1 : 1)),
      };
    }),
  };
}

function publishes(pipeline: string): boolean {
  return pipelineOf(pipeline)?.publishes === true;
}

type Status = NonNullable<ProgramObject['status']>;
type RunSummary = NonNullable<Status['lastRun']>;
type PipelineStatus = NonNullable<Status['pipelines']>[number];

/** How each pipeline is; an operator of before wrote of the batch alone. */
function statusesIn({ pipelines, lastRun, nextSlot }: Status): readonly PipelineStatus[] {
  if (pipelines !== undefined && pipelines.length > 0) return pipelines;
  return [
    {
      name: PUBLISHING,
      ...(lastRun === undefined ? {} : { lastRun }),
      ...(nextSlot === undefined ? {} : { nextSlot }),
    },
  ];
}

function lastRunOf({ name, slot, phase, startTime, completionTime, candidates }: RunSummary): LastRun {
  return {
    run: name,
    slot,
    phase,
    startedAt: startTime ?? null,
    finishedAt: completionTime ?? null,
    candidates: candidates ?? null,
  };
}
