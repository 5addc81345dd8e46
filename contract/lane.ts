import { PIPELINES, type Pipelines, pipelineOf } from './pipelines.ts';

/** The lane of a pipeline; undefined of one that this version does not know. */
export function laneOf(pipeline: string, pipelines: Pipelines = PIPELINES): string | undefined {
  return pipelineOf(pipeline, pipelines)?.lane;
}

/**
 * Whether runs of two pipelines of one owner go one after the other. A run of a pipeline that this version does not know, or
 * of another kind of owner, never begins, so that nobody waits for it; what an older or newer version began holds its lane's
 * lock in the database.
 */
export function shareLane(one: string, other: string, pipelines: Pipelines = PIPELINES): boolean {
  const [known, another] = [pipelineOf(one, pipelines), pipelineOf(other, pipelines)];
  if (known === undefined || another === undefined) return false;
  return known.owner === another.owner && known.lane === another.lane;
}

/** Names of the pipelines of a lane. */
export function pipelinesIn(lane: string, pipelines: Pipelines = PIPELINES): readonly string[] {
  return Object.keys(pipelines).filter((name) => laneOf(name, pipelines) === lane);
}

/** Every lane that there is. */
export function lanesOf(pipelines: Pipelines = PIPELINES): readonly string[] {
  return [...new Set(Object.values(pipelines).map(({ lane }) => lane))];
}
