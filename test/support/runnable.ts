import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { codeFor, RUNNABLE, type RunnablePipelines } from '../../jobs/stages.ts';
import type { CohortsSpec } from './cohorts/split.ts';
import { WITH_CAMPAIGN } from './pipelines.ts';

/** Three pipelines more than this version can run: a folder, an entry of the table, and a line here for each. */
export const RUNNABLE_WITH_CAMPAIGN: RunnablePipelines = {
  table: WITH_CAMPAIGN,
  code: {
    ...RUNNABLE.code,
    campaign: codeFor<RetentionProgramSpec>({
      plan: { work: async () => (await import('./campaign/plan.ts')).plan },
      deliver: { work: async () => (await import('./campaign/deliver.ts')).deliver },
    }),
    cohorts: codeFor<CohortsSpec>({
      split: {
        work: async () => (await import('./cohorts/split.ts')).split,
        shards: async () => (await import('./cohorts/split.ts')).shardedSplit,
      },
      publish: { work: async () => (await import('./cohorts/publish.ts')).publish },
    }),
    report: {
      report: { work: async () => async () => ({ rowsIn: 3, rowsOut: 1, counts: { pages: 1, of: { batch: 3 } } }) },
    },
  },
};
