import { DAILY, dueRun, GOOD, makeRun, type Scenario, underWay } from '../scenario.ts';
import { CAMPAIGN_UNSCHEDULED, SHORT_BATCH } from './pipelines.ts';

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

/** Nobody has said when the campaign is to be: it is at the slots of the batch. */
export const CAMPAIGN_WITH_BATCH: Scenario = {
  ...WAITING_CAMPAIGN,
  name: 'campaign with the batch',
  pipelines: CAMPAIGN_UNSCHEDULED,
  spec: {},
};

const REPORT = dueRun('keep', 'report');

/** A report is due, which reaches nobody, has one task and waits for the batch as the campaign does, beside that. */
export const REPORT_BESIDE: Scenario = {
  ...WAITING_CAMPAIGN,
  name: 'report beside a campaign',
  spec: { schedules: { campaign: DAILY, report: DAILY } },
  ends: { ...WAITING_CAMPAIGN.ends, [REPORT]: 'Succeeded' },
  rules: {
    order: [
      [BATCH, CAMPAIGN],
      [BATCH, REPORT],
    ],
  },
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
