import type { OwnerSpec } from '../contract/owner.ts';
import { PIPELINES, type PipelineName, type Pipelines } from '../contract/pipelines.ts';
import type { RetentionProgramSpec } from '../crds/retention-program.ts';
import type { ShardedStage, Stage } from './run/stage.ts';

/** How a stage's code is loaded, and with it the drivers that it needs: only where it runs. */
interface StageCode<Spec> {
  readonly work: () => Promise<Stage<Spec>>;
  /** Of a stage whose work can be divided. */
  readonly shards?: () => Promise<ShardedStage<Spec>>;
}

/** The code of a pipeline's stages, by their names. */
export type PipelineCode<Spec = OwnerSpec> = Readonly<Record<string, StageCode<Spec>>>;

/**
 * The code of a pipeline as whoever runs it knows it. Only here is it forgotten what spec its stages read: that of the owner
 * that the table says it has, as the revision of the run holds it.
 */
export function codeFor<Spec extends OwnerSpec>(code: PipelineCode<Spec>): PipelineCode {
  return code as PipelineCode;
}

/** What can be run: a table of pipelines, and the code of their stages, by the names of both. */
export interface RunnablePipelines {
  readonly table: Pipelines;
  readonly code: Readonly<Record<string, PipelineCode>>;
}

/** The code of every stage of `contract/pipelines.ts`. */
const STAGES: Readonly<Record<PipelineName, PipelineCode>> = {
  batch: codeFor<RetentionProgramSpec>({
    extract: { work: async () => (await import('./batch/extract.ts')).extract },
    filter: { work: async () => (await import('./batch/filter.ts')).filter },
    score: {
      work: async () => (await import('./batch/score.ts')).score,
      shards: async () => (await import('./batch/score.ts')).shardedScore,
    },
    offer: { work: async () => (await import('./batch/offer.ts')).offer },
    store: { work: async () => (await import('./batch/store.ts')).store },
  }),
  prune: codeFor<RetentionProgramSpec>({
    prune: { work: async () => (await import('./prune/prune.ts')).prune },
  }),
};

/** What this version can run. */
export const RUNNABLE: RunnablePipelines = { table: PIPELINES, code: STAGES };

/** Loads what does a stage's work. */
export function loadWork(of: RunnablePipelines, pipeline: string, stage: string): Promise<Stage<OwnerSpec>> {
  return codeOf(of, pipeline, stage).work();
}

/** Loads the work of a stage that can be divided. */
export function loadSharded(of: RunnablePipelines, pipeline: string, stage: string): Promise<ShardedStage<OwnerSpec>> {
  const { shards } = codeOf(of, pipeline, stage);
  if (shards === undefined) throw new TypeError(`The stage ${stage} has no shards.`);
  return shards();
}

function codeOf({ code }: RunnablePipelines, pipeline: string, stage: string): StageCode<OwnerSpec> {
  const found = code[pipeline]?.[stage];
  if (found === undefined) throw new TypeError(`The stage ${stage} has no code.`);
  return found;
}
