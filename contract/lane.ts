import { PIPELINES, type Pipelines, pipelineOf } from './pipelines.ts';

/** The lane of a pipeline; undefined of one that this version does not know. */
export function laneOf(pipeline: string, pipelines: Pipelines = PIPELINES): string | undefined {
  return pipelineOf(pipeline, pipelines)?.lane;
}

/** Whether runs of two pipelines of one owner go one after the other. One that is not known may be in any lane. */
export function shareLane(one: string, other: string, pipelines: Pipelines = PIPELINES): boolean {
  const [lane, otherLane] = [laneOf(one, pipelines), laneOf(other, pipelines)];
  return lane === undefined || otherLane === undefined || lane === otherLane;
}

/** Names of the pipelines of a lane. */
export function pipelinesIn(lane: string, pipelines: Pipelines = PIPELINES): readonly string[] {
  return Object.keys(pipelines).filter((name) => laneOf(name, pipelines) === lane);
}

/** Every lane that there is. */
export function lanesOf(pipelines: Pipelines = PIPELINES): readonly string[] {
  return [...new Set(Object.values(pipelines).map(({ lane }) => lane))];
}
