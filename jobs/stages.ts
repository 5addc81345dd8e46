import type { PipelineName } from '../contract/pipelines.ts';
import type { RetentionProgramSpec } from '../crds/retention-program.ts';
import type { ShardedStage, Stage } from './run/stage.ts';

/** How a stage's code is loaded, and with it the drivers that it needs: only where it runs. */
interface StageCode {
  readonly work: () => Promise<Stage<RetentionProgramSpec>>;
  /** Of a stage whose work can be divided. */
  readonly shards?: () => Promise<ShardedStage<RetentionProgramSpec>>;
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

/** Loads what does a stage's work. */
export function loadWork(pipeline: PipelineName, stage: string): Promise<Stage<RetentionProgramSpec>> {
  return codeOf(pipeline, stage).work();
}

/** Loads the work of a stage that can be divided. */
export function loadSharded(pipeline: PipelineName, stage: string): Promise<ShardedStage<RetentionProgramSpec>> {
  const { shards } = codeOf(pipeline, stage);
  if (shards === undefined) throw new TypeError(`The stage ${stage} has no shards.`);
  return shards();
}

function codeOf(pipeline: PipelineName, stage: string): StageCode {
  const code = STAGES[pipeline][stage];
  if (code === undefined) throw new TypeError(`The stage ${stage} has no code.`);
  return code;
}
