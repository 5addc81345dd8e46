import { PIPELINES, type PipelineName, type Pipelines } from '../contract/pipelines.ts';
import type { RetentionProgramSpec } from '../crds/retention-program.ts';
import type { ShardedStage, Stage } from './run/stage.ts';

/** How a stage's code is loaded, and with it the drivers that it needs: only where it runs. */
interface StageCode {
  readonly work: () => Promise<Stage<RetentionProgramSpec>>;
  /** Of a stage whose work can be divided. */
  readonly shards?: () => Promise<ShardedStage<RetentionProgramSpec>>;
}

/** What can be run: a table of pipelines, and the code of their stages, by the names of both. */
export interface RunnablePipelines {
  readonly table: Pipelines;
  readonly code: Readonly<Record<string, Readonly<Record<string, StageCode>>>>;
}

/** The code of every stage of `contract/pipelines.ts`. */
const STAGES: Readonly<Record<PipelineName, Readonly<Record<string, StageCode>>>> = {
  batch: {
    extract: { work: async () => (await import('./batch/extract.ts')).extract },
    filter: { work: async () => (await import('./batch/filter.ts')).filter },
    score: {
      work: async () => (await import('./batch/score.ts')).score,
      shards: async () => (await import('./batch/score.ts')).shardedScore,
    },
    offer: { work: async () => (await import('./batch/offer.ts')).offer },
    store: { work: async () => (await import('./batch/store.ts')).store },
  },
  prune: {
    prune: { work: async () => (await import('./prune/prune.ts')).prune },
  },
};

/** What this version can run. */
export const RUNNABLE: RunnablePipelines = { table: PIPELINES, code: STAGES };

/** Loads what does a stage's work. */
export function loadWork(of: RunnablePipelines, pipeline: string, stage: string): ReturnType<StageCode['work']> {
  return codeOf(of, pipeline, stage).work();
}

/** Loads the work of a stage that can be divided. */
export function loadSharded(
  of: RunnablePipelines,
  pipeline: string,
  stage: string,
): Promise<ShardedStage<RetentionProgramSpec>> {
  const { shards } = codeOf(of, pipeline, stage);
  if (shards === undefined) throw new TypeError(`The stage ${stage} has no shards.`);
  return shards();
}

function codeOf({ code }: RunnablePipelines, pipeline: string, stage: string): StageCode {
  const found = code[pipeline]?.[stage];
  if (found === undefined) throw new TypeError(`The stage ${stage} has no code.`);
  return found;
}
