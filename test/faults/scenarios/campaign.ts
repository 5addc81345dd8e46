import { DAILY, dueRun, GOOD, makeRun, type Scenario, underWay } from '../scenario.ts';
import { SHORT_BATCH } from './pipelines.ts';

export const BATCH = dueRun('keep');
export const CAMPAIGN = dueRun('keep', 'campaign');

/** A slot of the batch is due, and one of the campaign, which waits for it. */
export const WAITING_CAMPAIGN: Scenario = {
  name: 'campaign',
  programs: ['keep'],
  taskMs: 0,
  pipelines: SHORT_BATCH,
  spec: { schedules: { campaign: DAILY } },
  script: () => GOOD,
  ends: { [BATCH]: 'Succeeded', [CAMPAIGN]: 'Succeeded' },
  rules: { order: [[BATCH, CAMPAIGN]] },
};

/** The campaign is not over before the next batch is under way, for which somebody asks meanwhile. */
export const CAMPAIGN_BESIDE: Scenario = {
  ...WAITING_CAMPAIGN,
  name: 'campaign beside a batch',
  script: () => {
    let isBeside = false;
    return (job) => {
      isBeside ||= job.run === 'next';
      return job.task === 'deliver' && !isBeside ? undefined : GOOD(job);
    };
  },
  meanwhile: async (world) => {
    await underWay(world, 'deliver');
    await makeRun(world, 'next');
  },
  ends: { ...WAITING_CAMPAIGN.ends, next: 'Succeeded' },
};
