import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { ShardedStage, Stage, StageContext } from '../run/stage.ts';

/** What a stage of a batch may touch: its owner is a program. */
export type BatchContext = StageContext<RetentionProgramSpec>;

export type BatchStage = Stage<RetentionProgramSpec>;

export type ShardedBatchStage = ShardedStage<RetentionProgramSpec>;
