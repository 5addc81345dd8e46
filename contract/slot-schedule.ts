import { PIPELINES, type Pipelines, pipelineOf, publishingOf, scheduleOf } from './pipelines.ts';

/** What says of an owner when its pipelines are due: their schedules are where the table of pipelines has them. */
export interface ScheduledSpec {
  readonly timeZone: string;
}

/**
 * The schedule whose slots a pipeline's runs are of: its own, else of the one that it comes after, else of what publishes for
 * the owner. Undefined where the spec has none of them, as that of a single snapshot: then a run says itself of which it is.
 */
export function slotSchedule(pipeline: string, spec: object, pipelines: Pipelines = PIPELINES): string | undefined {
  const own = scheduleOf(pipeline, spec, pipelines)?.schedule;
  if (own !== undefined) return own;
  const { after, owner = 'program' } = pipelineOf(pipeline, pipelines) ?? {};
  if (after !== undefined) return slotSchedule(after, spec, pipelines);
  const publishing = publishingOf(owner, pipelines);
  return publishing === undefined ? undefined : scheduleOf(publishing, spec, pipelines)?.schedule;
}
