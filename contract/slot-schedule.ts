import { PIPELINES, type Pipelines, pipelineOf, scheduleOf } from './pipelines.ts';

/** What says of an owner when its pipelines are due. */
export interface ScheduledSpec {
  readonly batchSchedule: string;
  readonly timeZone: string;
}

/** The schedule whose slots a pipeline's runs are of: its own, else of the one that it comes after, else of the batch. */
export function slotSchedule(
  pipeline: string,
  spec: Pick<ScheduledSpec, 'batchSchedule'>,
  pipelines: Pipelines = PIPELINES,
): string {
  const own = scheduleOf(pipeline, spec, pipelines)?.schedule;
  const after = pipelineOf(pipeline, pipelines)?.after;
  return own ?? (after === undefined ? spec.batchSchedule : slotSchedule(after, spec, pipelines));
}
