import { RUNNABLE, type RunnablePipelines } from '../../jobs/stages.ts';
import { WITH_CAMPAIGN } from './pipelines.ts';

/** Two pipelines more than this version can run: a folder, an entry of the table, and a line here for each. */
export const RUNNABLE_WITH_CAMPAIGN: RunnablePipelines = {
  table: WITH_CAMPAIGN,
  code: {
    ...RUNNABLE.code,
    campaign: {
      plan: { work: async () => (await import('./campaign/plan.ts')).plan },
      deliver: { work: async () => (await import('./campaign/deliver.ts')).deliver },
    },
    report: {
      report: { work: async () => async () => ({ rowsIn: 3, rowsOut: 1, counts: { pages: 1, of: { batch: 3 } } }) },
    },
  },
};
