import { HoldfastError } from '../base/errors.ts';
import { PIPELINES, type Pipelines, pipelineOf } from './pipelines.ts';

/** A run that somebody would have done again, on a cluster or on a laptop. */
export interface TriedRun {
  readonly run: string;
  readonly pipeline: string;
  readonly phase: string;
  /** Whether nothing more will happen to it. */
  readonly isOver: boolean;
  readonly dryRun: boolean;
}

/** Why a run cannot be done again, be it from a stage that somebody names. */
export interface RetryRefusal {
  readonly code: 'HF_RETRY_REFUSED' | 'HF_USAGE';
  /** What is in the way, and what to do. */
  readonly message: string;
}

export function retryError({ code, message }: RetryRefusal): HoldfastError {
  return new HoldfastError(code, message);
}

/** Why a run cannot be done again; undefined where it can. */
export function retryRefusal(
  { run, pipeline, phase, isOver, dryRun }: TriedRun,
  fromStage: string | undefined,
  pipelines: Pipelines = PIPELINES,
): RetryRefusal | undefined {
  if (!isOver) return refused(`the run ${run} is not over (${phase}): wait for it, or cancel it`);
  if (phase === 'Succeeded') return refused(`the run ${run} has succeeded: begin another in its place`);
  if (fromStage === undefined) return undefined;
  if (dryRun) {
    return refused(`the run ${run} is a dry run, which leaves nothing to go on from: leave out --from-stage`);
  }
  const stages = pipelineOf(pipeline, pipelines)?.stages.map(({ name }) => name);
  if (stages === undefined || stages.includes(fromStage)) return undefined;
  return { code: 'HF_USAGE', message: `${pipeline} has no stage ${fromStage}: it has ${stages.join(', ')}` };
}

/** Why a run that was done again is not once more: a retry of it, or of that one, has succeeded. */
export function retriedBefore(run: string, succeeded: string | undefined): RetryRefusal | undefined {
  return succeeded === undefined ? undefined : refused(`the run ${run} was retried, and that succeeded: ${succeeded}`);
}

function refused(message: string): RetryRefusal {
  return { code: 'HF_RETRY_REFUSED', message };
}
