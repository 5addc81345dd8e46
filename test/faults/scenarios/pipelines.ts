import { PIPELINES, type PipelineDefinition, type Pipelines } from '../../../contract/pipelines.ts';
import { WITH_CAMPAIGN } from '../../support/pipelines.ts';

const { batch } = PIPELINES;
const campaign = WITH_CAMPAIGN['campaign'] as PipelineDefinition;

const STAGES = ['extract', 'store'];

/**
 * What the scenarios of several runs are played over: a campaign and a report where the program has a schedule for them, and
 * a batch of two stages in place of five, since what they are about is between the runs.
 */
export const SHORT_BATCH: Pipelines = {
  ...WITH_CAMPAIGN,
  campaign: { ...campaign, unscheduled: 'never' },
  batch: { ...batch, stages: batch.stages.filter(({ name }) => STAGES.includes(name)) },
};

/** The same, but a campaign that the program has no schedule for is at the slots of the batch. */
export const CAMPAIGN_UNSCHEDULED: Pipelines = { ...SHORT_BATCH, campaign: { ...campaign, unscheduled: 'with-after' } };

/** By the names under which another process finds them. */
export const TABLES: ReadonlyMap<string, Pipelines> = new Map([
  ['short batch', SHORT_BATCH],
  ['unscheduled campaign', CAMPAIGN_UNSCHEDULED],
]);
