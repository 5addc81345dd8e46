import { makeRun, type Scenario } from '../scenario.ts';
import { WAITING_CAMPAIGN } from './campaign.ts';

/** Somebody asks for a campaign whose batch was missed: it waits as long as it may. */
export const DEADLINE: Scenario = {
  ...WAITING_CAMPAIGN,
  name: 'deadline',
  spec: { ...WAITING_CAMPAIGN.spec, startingDeadlineSeconds: 8 },
  before: (world) => makeRun(world, 'late', { pipeline: 'campaign' as 'batch' }),
  ends: { late: 'BatchMissed' },
  rules: {},
};
