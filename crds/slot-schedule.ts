import { PIPELINES, type Pipelines, pipelineOf, scheduleOf } from '../contract/pipelines.ts';
import type { RetentionProgramSpec } from './retention-program.ts';

/** The schedule whose slots a pipeline's runs are of: its own, else of the one that it comes after, else of the batch. */
export function slotSchedule(
  pipeline: string,
  spec: Pick<RetentionProgramSpec, 'batchSchedule'>,
  pipelines: Pipelines = PIPELINES,
): string {
  const own = scheduleOf(pipeline, spec, pipelines)?.schedule;
  const after = pipelineOf(pipeline, pipelines)?.after;
  return own ?? (after === undefined ? spec.batchSchedule : slotSchedule(after, spec, pipelines));
}
