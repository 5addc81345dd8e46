import { PIPELINES, type Pipelines } from '../../../contract/pipelines.ts';
import { WITH_CAMPAIGN } from '../../support/pipelines.ts';

const { batch } = PIPELINES;

const STAGES = ['extract', 'filter', 'store'];

/**
 * What the scenarios of several runs are played over: a campaign and a report beside the batch, and a batch of three stages
 * in place of five, since what they are about is between the runs.
 */
export const SHORT_BATCH: Pipelines = {
  ...WITH_CAMPAIGN,
  batch: { ...batch, stages: batch.stages.filter(({ name }) => STAGES.includes(name)) },
};
